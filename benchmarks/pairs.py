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


def mean_ratio(passes: Iterable[Iterable[Pair]]) -> float:
    """The geometric mean of all: of few loads, two runs' means lie closer than their medians."""
    return statistics.geometric_mean(ratios(passes))


def standard_error(passes: Sequence[Sequence[Pair]]) -> float:
    """Of the mean logarithm of the ratios: 0.02 is about 2 % of their geometric mean.

    Pairs of one pass share a process, and with it what its memory happens to look like: where
    passes differ by more than their pairs do, it is the passes that count.
    """
    means = [statistics.geometric_mean(ratios([one])) for one in passes if one]
    return max(_error_of_mean(ratios(passes)), _error_of_mean(means))


def _error_of_mean(values: Sequence[float]) -> float:
    if len(values) < 2:
        return math.inf
    return statistics.stdev(map(math.log, values)) / math.sqrt(len(values))


def interval(passes: Sequence[Sequence[Pair]]) -> tuple[float, float] | None:
    """Where a ratio lies that has not settled, two standard errors either way; else None."""
    error = standard_error(passes)
    if error <= WHOLE.error or math.isinf(error):
        return None
    mean = mean_ratio(passes)
    return mean * math.exp(-2 * error), mean * math.exp(2 * error)


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

    def is_settled(self, passes: Sequence[Sequence[Pair]]) -> bool:
        """Whether no more passes are wanted; where there is no ratio, the least are enough."""
        if len(passes) < self.least:
            return False
        none = not any(passes)
        return len(passes) >= self.most or none or standard_error(passes) <= self.error


_LEAST_PASSES: Final = 2
_MOST_PASSES: Final = 12
# Two runs then differ by less than 15 % in 99 of 100 ratios.
_MOST_ERROR: Final = 0.04
_QUICK_PASSES: Final = 2

WHOLE: Final = Plan(_LEAST_PASSES, _MOST_PASSES, _MOST_ERROR)
QUICK: Final = Plan(_QUICK_PASSES, _QUICK_PASSES, _MOST_ERROR)
