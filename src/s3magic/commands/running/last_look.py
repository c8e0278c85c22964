"""Looks once more at what is to go only unchanged, where the server may not do so by itself.

Neighbours are seen a thousand a request; what stands by itself is asked for by
itself. So it costs one request a thousand of a listing's rows, and never more
than one a row.
"""

from __future__ import annotations

from bisect import bisect_right
from dataclasses import dataclass
from typing import TYPE_CHECKING

from s3magic.commands.running.transferring import refuse_missing_bucket
from s3magic.errors import Denied, NotFound, NotSupported
from s3magic.listing.pages import Listing, pages
from s3magic.listing.splitting import shared
from s3magic.transfer.outcomes import Outcome, replaced
from s3magic.transfer.window import each, stream
from s3magic.translation import translate
from s3magic.uri import S3Uri

if TYPE_CHECKING:
    from collections.abc import Sequence

    from types_aiobotocore_s3 import S3Client

    from s3magic.errors import S3Error
    from s3magic.listing.page import Page
    from s3magic.transfer.outcomes import Name

__all__ = ["LastLook"]

_WORTH = 10  # keys that a page must show, or the rest is asked for one by one
_LANES = 16  # keys that are asked for at once


@dataclass(frozen=True, slots=True)
class LastLook:
    """A look at names of one bucket, by their ETags; what `Deletion` asks before it deletes.

    Args:
        client: Any aiobotocore client.
    """

    client: S3Client

    async def __call__(self, names: Sequence[Name]) -> list[Outcome]:
        """Give the outcomes of those that must not be deleted.

        Who cannot look must not delete: then all have the error.

        Args:
            names: With an ETag each, all of one bucket.
        """
        there: dict[str, str] = {}  # the ETag of each that was seen; empty where nothing is
        denied: dict[str, S3Error] = {}
        bucket, wanted = names[0].bucket, sorted({name.key for name in names})
        try:
            listed = await self._in_pages(bucket, wanted, there)
            rest = [key for key in wanted if key not in there]
            await self._one_by_one(bucket, rest, there, denied)
            if not listed and "" in there.values():  # or is it the bucket that is missing?
                uri = S3Uri(bucket, wanted[0])
                await refuse_missing_bucket(self.client, uri, f"delete {uri}")
        except Exception as error:  # noqa: BLE001 - it becomes the outcome of each
            ours = translate(error, f"look at {len(names):,} keys of s3://{bucket} once more")
            return [Outcome(name, ours) for name in names]
        ended = []
        for name in names:
            if name.key in denied:
                ended.append(Outcome(name, denied[name.key]))
            elif not there[name.key]:
                ended.append(Outcome(name))  # gone; to delete it would leave a marker
            elif there[name.key] != name.etag:
                ended.append(Outcome(name, replaced(name)))
        return ended

    async def _in_pages(self, bucket: str, keys: Sequence[str], there: dict[str, str]) -> bool:
        """See those that are listed near each other; tells whether anything could be listed."""
        left, listed = list(keys), False
        while len(left) > 1:
            page = await self._page(bucket, left)
            if page is None:
                break
            listed = True
            shown = dict(zip(page.keys, page.etags, strict=True))
            seen = {key: etag for key in left if (etag := shown.get(key))}
            there.update(seen)
            if len(seen) < _WORTH or not page.more:
                break
            behind = left[bisect_right(left, page.keys[-1]) :]
            left = [key for key in behind if key not in there]
        return listed

    async def _page(self, bucket: str, keys: Sequence[str]) -> Page | None:
        """List from the first of some keys on; None where that is not allowed."""
        # Right before the first: a part of its own name, behind which hardly anything else begins.
        listing = Listing(bucket, shared(keys[0], keys[-1]), start_after=keys[0][:-1])
        found = pages(self.client, listing, lanes=1)
        try:
            return await anext(found)
        except (Denied, NotSupported):
            return None
        finally:
            await found.aclose()

    async def _one_by_one(
        self, bucket: str, keys: Sequence[str], there: dict[str, str], denied: dict[str, S3Error]
    ) -> None:
        """Ask for each."""

        async def one(key: str) -> None:
            uri = S3Uri(bucket, key)
            try:
                head = await self.client.head_object(Bucket=bucket, Key=key)
            except Exception as error:
                ours = translate(error, f"look at {uri} before it is deleted")
                if isinstance(ours, NotFound):
                    there[key] = ""
                elif isinstance(ours, Denied):
                    denied[key] = ours
                else:
                    raise ours from error
            else:
                there[key] = head["ETag"].strip('"')

        await each(stream(keys), one, _LANES)
