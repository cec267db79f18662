"""Times beside times of ours, what their ratios are, and when enough of them are known.

A shared machine may be half as fast for a second. A time of ours taken right before or after has
suffered the same, so that each ratio is one of two times that lie side by side.
"""

from __future__ import annotations

import math
import statistics
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final, NamedTuple

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence


class Pair(NamedTuple):
    """A time, and ours beside it, in seconds."""

    theirs_s: float
    ours_s: float

    @property
    def ratio(self) -> float:
        """How many times as long as ours it took."""
        return self.theirs_s / self.ours_s


def beside(before: float | None, after: float | None) -> float | None:
    """Our time beside another's: the geometric mean of those that there are."""
    known = [seconds for seconds in (before, after) if seconds is not None]
    return statistics.geometric_mean(known) if known else None


def ratios(passes: Iterable[Iterable[Pair]]) -> list[float]:
    """Those of all pairs."""
    return [pair.ratio for one in passes for pair in one]


def standard_error(found: Sequence[float]) -> float:
    """Of the mean logarithm of ratios: 0.02 is about 2 % of their geometric mean."""
    if len(found) < 2:
        return math.inf
    return statistics.stdev(map(math.log, found)) / math.sqrt(len(found))


@dataclass(frozen=True)
class Plan:
    """How long passes go on for a row.

    Attributes:
        least: Passes that everyone takes part in.
        most: Passes that nobody goes beyond.
        error: The standard error at which a ratio is settled.
    """

    least: int
    most: int
    error: float

    def is_settled(self, passes: Sequence[Iterable[Pair]]) -> bool:
        """Whether no more passes are wanted; where there is no ratio, the least are enough."""
        if len(passes) < self.least:
            return False
        found = ratios(passes)
        return len(passes) >= self.most or not found or standard_error(found) <= self.error


_LEAST_PASSES: Final = 3
_MOST_PASSES: Final = 12
_MOST_ERROR: Final = 0.025
_QUICK_PASSES: Final = 4

WHOLE: Final = Plan(_LEAST_PASSES, _MOST_PASSES, _MOST_ERROR)
QUICK: Final = Plan(_QUICK_PASSES, _QUICK_PASSES, _MOST_ERROR)
