"""JMESPath over a listing, in which dates compare.

JMESPath knows numbers, strings and lists, and no dates: over dates a filter is
silently empty and a sort fails. So each ``LastModified`` becomes an ISO 8601
string in UTC before the search, always as long as any other, so that the order
of the strings is the order of the times; and a date again behind it. A date
literal that is compared with one is brought into the same form.
"""

from __future__ import annotations

import datetime as dt
import difflib
import json
import re
from typing import TYPE_CHECKING, Any

from s3magic.errors import BadQuery
from s3magic.wording import shorten

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

__all__ = ["Query", "search"]

_HINT = (
    "A query reads like Contents[?Size > `100` && LastModified > `2024-01-01`][]: "
    "numbers and dates in backticks, text in single quotes."
)
_DATE = "LastModified"
_ORDERED = frozenset({"lt", "lte", "gt", "gte"})
# The three kinds of quotes of JMESPath's grammar; the contents of backticks alone are caught.
_QUOTED = re.compile(
    r"'(?:\\.|[^'\\])*' | \"(?:\\.|[^\"\\])*\" | `((?:\\.|[^`\\])*)`", re.VERBOSE | re.DOTALL
)
_YEAR_OR_MONTH = re.compile(r"\d{4}(-\d\d)?-?\Z")


class Query:
    """A query, read and checked once, for any number of pages.

    Args:
        expression: JMESPath over ``{"Contents": [...]}``.

    Raises:
        BadQuery: JMESPath refuses it; the sentence says where.
    """

    def __init__(self, expression: str) -> None:
        from jmespath.parser import ParsedResult, Parser

        self.expression = expression
        try:
            # What jmespath gives is in its cache, for others too: leave it as it is.
            tree = _with_dates(Parser().parse(_json_literals(expression)).parsed)
            self._check_functions(tree)
        except Exception as error:
            raise self._refused(error) from error
        self._mentions_contents = _mentions(tree, "Contents")
        self._compiled = ParsedResult(expression, tree)

    def search(self, items: Iterable[Mapping[str, Any]]) -> list[Any]:
        """Give what the query finds among these objects.

        Args:
            items: Objects of a listing, each with S3's fields; they stay as they are.

        Returns:
            The result if it is a list; a list of it if it is anything else;
            an empty one for null.

        Raises:
            BadQuery: The query does not fit the objects: a number is compared
                with text, for example.
        """
        # jmespath hands values on by identity, so that is how a date is known again.
        dates: dict[int, tuple[str, dt.datetime]] = {}
        contents = [_dateless(item, dates) for item in items]
        try:
            found = self._compiled.search({"Contents": contents})
        except Exception as error:
            raise self._refused(error) from error
        if found is None:
            if not self._mentions_contents:
                raise BadQuery(
                    f"The query {self._shown} finds nothing in any listing: "
                    "the objects are in Contents.",
                    hint=_HINT,
                )
            return []
        return [_dated(one, dates) for one in (found if isinstance(found, list) else [found])]

    @property
    def _shown(self) -> str:
        return repr(shorten(self.expression, 120))

    def _check_functions(self, tree: Any) -> None:
        """Find a misspelt function before anything is listed."""
        from jmespath.functions import Functions

        known = Functions.FUNCTION_TABLE
        for node in _nodes(tree):
            if node["type"] == "function_expression" and node["value"] not in known:
                near = difflib.get_close_matches(node["value"], known, n=1)
                raise BadQuery(
                    f"The query {self._shown} calls {node['value']}(), "
                    "a function that JMESPath does not have.",
                    hint=f"Did you mean {near[0]}()?" if near else _HINT,
                )

    def _refused(self, error: Exception) -> BadQuery:
        """Say in one sentence what jmespath says in four lines."""
        if isinstance(error, BadQuery):
            return error
        kind = type(error).__name__
        told = vars(error)
        if kind == "JMESPathTypeError":
            # Its own text holds the whole value: a million objects, perhaps.
            reason = (
                f"{told['function_name']}() is given {told['actual_type']} "
                f"and takes {' or '.join(map(str, told['expected_types']))}"
            )
        elif kind in {"ArityError", "VariadictArityError"}:
            reason = str(error)
            reason = reason[:1].lower() + reason[1:]
        elif kind == "EmptyExpressionError":
            reason = "it is empty"
        elif kind == "IncompleteExpressionError":
            reason = "it ends too early"
        elif kind in {"ParseError", "LexerError"}:
            place = told.get("lex_position", told.get("lexer_position", 0))
            reason = f"it breaks at character {place + 1}, {self.expression[place : place + 20]!r}"
        elif isinstance(error, TypeError):
            reason = (
                "it compares or sorts values of different kinds, a number and a text for example"
            )
        elif isinstance(error, RecursionError):
            reason = "it is nested too deeply"
        else:
            reason = str(error) or kind
        return BadQuery(f"JMESPath refuses the query {self._shown}: {reason}.", hint=_HINT)


def search(expression: str, items: Iterable[Mapping[str, Any]]) -> list[Any]:
    """Give what a query finds among the objects of a listing.

    Args:
        expression: JMESPath over ``{"Contents": [...]}``.
        items: The objects, each with S3's fields.

    Raises:
        BadQuery: JMESPath refuses the query, or it does not fit the objects.

    Example:
        >>> search("Contents[?Size > `100`].Key", [{"Key": "a", "Size": 101}])
        ['a']
    """
    return Query(expression).search(items)


def _json_literals(expression: str) -> str:
    """Write each backtick literal that is no JSON, such as `2024-01-01`, as the JSON it means.

    jmespath reads them as strings too, and warns that it will not for ever.
    """

    def mended(match: re.Match[str]) -> str:
        inside = match[1]
        if inside is None:
            return match[0]
        text = inside.replace("\\`", "`")
        try:
            json.loads(text)
        except ValueError:
            try:
                meant = json.loads(f'"{text.strip()}"')
            except ValueError:
                return match[0]
            return "`" + json.dumps(meant).replace("`", "\\`") + "`"
        return match[0]

    return _QUOTED.sub(mended, expression)


def _nodes(tree: Any) -> Iterable[dict[str, Any]]:
    """Walk jmespath's tree, each node before its children."""
    if isinstance(tree, dict):
        yield tree
        for child in tree.get("children", ()):
            yield from _nodes(child)


def _mentions(tree: Any, field: str) -> bool:
    return any(node["type"] == "field" and node["value"] == field for node in _nodes(tree))


def _with_dates(tree: Any) -> Any:
    """Copy the tree, with the literals that are compared with a date in the dates' form."""
    if not isinstance(tree, dict):
        return tree
    children = [_with_dates(child) for child in tree.get("children", ())]
    if tree["type"] == "comparator":
        for mine, other in ((0, 1), (1, 0)):
            node = children[mine]
            if node["type"] == "literal" and _mentions(children[other], _DATE):
                ordered = tree["value"] in _ORDERED
                children[mine] = node | {"value": _literal(node["value"], ordered=ordered)}
    return tree | {"children": children}


def _literal(value: Any, *, ordered: bool) -> Any:
    if isinstance(value, str):
        try:
            return _text(dt.datetime.fromisoformat(value.strip()))
        except ValueError:
            # A year or a month is the beginning of a date, and compares as one.
            if not ordered or _YEAR_OR_MONTH.match(value):
                return value
    elif not ordered:
        return value
    raise BadQuery(
        f"The query compares {_DATE} with {value!r}, which is no date.",
        hint=f"Write it as in Contents[?{_DATE} > `2024-01-31`][] or `2024-01-31T10:30:00Z`.",
    )


def _text(moment: dt.datetime) -> str:
    if moment.tzinfo is None:
        moment = moment.replace(tzinfo=dt.UTC)
    return moment.astimezone(dt.UTC).replace(tzinfo=None).isoformat(timespec="microseconds") + "Z"


def _dateless(item: Mapping[str, Any], dates: dict[int, tuple[str, dt.datetime]]) -> dict[str, Any]:
    copy = dict(item)
    for name, value in item.items():
        if isinstance(value, dt.datetime):
            text = _text(value)
            dates[id(text)] = (text, value)
            copy[name] = text
    return copy


def _dated(value: Any, dates: dict[int, tuple[str, dt.datetime]]) -> Any:
    if isinstance(value, str):
        found = dates.get(id(value))
        return found[1] if found else value
    if isinstance(value, list):
        return [_dated(one, dates) for one in value]
    if isinstance(value, dict):
        return {name: _dated(one, dates) for name, one in value.items()}
    return value
