"""How much each task moves: as the targets say, divided for a quick try, cut to the memory."""

from __future__ import annotations

import math
import random
from dataclasses import dataclass

__all__ = ["SPARE", "GiB", "KiB", "MiB", "Sizes", "log_uniform", "mixed_count"]

KiB = 1024
MiB = 1024 * KiB
GiB = 1024 * MiB

# Kept free for the server, which takes 8 GiB while many large files arrive at once, and the peers.
SPARE = 11 * GiB


@dataclass(frozen=True, slots=True)
class Sizes:
    """Bytes and counts of every task.

    Args:
        large: Bytes of the one large object.
        held: Bytes of the object that goes into memory.
        small: Bytes of a small object.
        gets: Small objects to get.
        puts: Small files to put.
        keys: Keys of the shorter listing, in 100 folders.
        many_keys: Keys of the longer listing, in 100 folders.
        mixed: Files of the mixed tree.
        smallest: Bytes of its smallest file.
        largest: Bytes of its largest file.
    """

    large: int = GiB
    held: int = 256 * MiB
    small: int = 4 * KiB
    gets: int = 5_000
    puts: int = 2_000
    keys: int = 100_000
    many_keys: int = 1_000_000
    mixed: int = 2_000
    smallest: int = KiB
    largest: int = 64 * MiB

    @classmethod
    def divided(cls, by: int) -> Sizes:
        """Give a part of it all, for a quick try; never so little that nothing is done."""
        full = cls()
        return cls(
            large=max(full.large // by, MiB),
            held=max(full.held // by, MiB),
            gets=max(full.gets // by, 10),
            puts=max(full.puts // by, 10),
            keys=max(full.keys // by // 1000 * 1000, 1000),
            many_keys=max(full.many_keys // by // 10_000 * 10_000, 10_000),
            mixed=max(full.mixed // by, 10),
        )


def log_uniform(count: int, smallest: int, largest: int, seed: int = 2026) -> list[int]:
    """Draw sizes whose logarithms are spread evenly: as many of 1–2 KiB as of 32–64 MiB."""
    dice = random.Random(seed)  # noqa: S311 - the same tree each time
    low, high = math.log(smallest), math.log(largest)
    return [round(math.exp(dice.uniform(low, high))) for _ in range(count)]


def mixed_count(sizes: Sizes, free: int) -> int:
    """Say how many files of the mixed tree fit twice: at the server, and here.

    Args:
        sizes: What is wanted.
        free: Bytes of memory that nobody uses.
    """
    room = (free - SPARE) // 2
    total = 0
    drawn = log_uniform(sizes.mixed, sizes.smallest, sizes.largest)
    for count, size in enumerate(drawn):
        total += size
        if total > room:
            return count
    return len(drawn)
