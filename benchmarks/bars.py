"""What has to hold. A bar is a ratio within one run, or a size: never a time alone but one."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final

from benchmarks.case import OURS
from benchmarks.contenders.compiled import DIRECTLY

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence

    Row = Mapping[str, Any]

_MB_OF_THE_VOLUME: Final = 314.6


@dataclass(frozen=True)
class Bar:
    """One of them.

    Attributes:
        question: Where it is measured.
        text: What has to hold, in words; `limit` stands for the number.
        measure: The measured number, from the rows of the question.
        limit: What it is held against.
        is_most: Whether the number may be the limit at most; else at least.
        cases: Those that it is about, where a quick run leaves some of them out.
    """

    question: str
    text: str
    measure: Callable[[Sequence[Row]], float]
    limit: float
    is_most: bool = False
    cases: tuple[str, ...] = ()

    def is_asked(self, rows: Sequence[Row]) -> bool:
        """Whether any of its cases was asked about."""
        return not self.cases or not {row["case"] for row in rows}.isdisjoint(self.cases)

    def verdict(self, rows: Sequence[Row], slack: float) -> dict[str, object]:
        """The number, the limit with its slack, and whether it holds."""
        measured = self.measure(rows)
        limit = self.limit * slack if self.is_most else self.limit / slack
        holds = measured <= limit if self.is_most else measured >= limit
        text = self.text.format(limit=f"{limit:g}")
        return {"text": text, "measured": float(f"{measured:.4g}"), "holds": holds}


def _is(row: Row, case: str, names: tuple[str, ...], threads: int | None) -> bool:
    fits = row["case"] == case and row["contender"].startswith(names) and not row["refused"]
    return fits and (threads is None or row["threads"] == threads)


def _ratio(case: str, *names: str, threads: int | None = None) -> Callable[[Sequence[Row]], float]:
    """How many times as long as ours the fastest of the named took; a wrong answer counts too."""
    return lambda rows: min(row["ratio"] for row in rows if _is(row, case, names, threads))


def _best_scanner(rows: Sequence[Row]) -> float:
    peers = [row for row in rows if not row["contender"].startswith((OURS, "limit"))]
    return float(min(row["ratio"] for row in peers if not row["refused"] and not row["wrong"]))


def _of_limit(rows: Sequence[Row]) -> float:
    row = next(row for row in rows if row["contender"] == "limit" and row["threads"] == 2)
    return 1 / float(row["ratio"])


def _scan_of_peers(rows: Sequence[Row]) -> float:
    own = next(float(row["ratio"]) for row in rows if row["contender"] == "torchdicom.scan")
    return _best_scanner(rows) / own


def _at_most_files(name: str, column: str) -> Callable[[Sequence[Row]], float]:
    """A number of a contender in the last case, which has the most files."""
    return lambda rows: [float(row[column]) for row in rows if row["contender"] == name][-1]


def _growth_a_file(column: str) -> Callable[[Sequence[Row]], float]:
    """What our scan takes for each of the most files, over what it takes for one of the fewest."""

    def measure(rows: Sequence[Row]) -> float:
        own = [row for row in rows if row["contender"] == OURS and row["threads"] == 2]
        each = [float(row[column]) / int(row["case"].split()[0].replace(",", "")) for row in own]
        return each[-1] / each[0]

    return measure


def _microseconds_a_header(rows: Sequence[Row]) -> float:
    row = next(row for row in rows if row["contender"] == OURS and row["threads"] == 1)
    return float(row["ms"]) * 1000 / 3000


def _growth(rows: Sequence[Row]) -> float:
    mine = (row for row in rows if row["contender"] == OURS)
    return max(float(row["mb"]) for row in mine) - _MB_OF_THE_VOLUME


def _all_right(rows: Sequence[Row]) -> float:
    """How many of our own answers are wrong or refused."""
    own = (row for row in rows if OURS in row["contender"])  # in MONAI and TorchIO as well
    return sum(bool(row["wrong"]) for row in own)


def _best_of_others(*cases: str) -> Callable[[Sequence[Row]], float]:
    """How many times as long as ours the fastest right answer took, where that is least."""

    def measure(rows: Sequence[Row]) -> float:
        return min(
            float(row["ratio"])
            for row in rows
            if row["case"] in cases and not row["contender"].startswith((OURS, "limit", DIRECTLY))
            if not row["refused"] and not row["wrong"]
        )

    return measure


def _directly(syntax: str) -> Callable[[Sequence[Row]], float]:
    """How many times as long as ours the library itself took, where that is least."""
    name = "zlib, directly" if syntax == "deflated" else DIRECTLY
    cases = (f"CT {syntax}", f"MG {syntax}")
    return lambda rows: min(
        float(row["ratio"]) for row in rows if any(_is(row, case, (name,), None) for case in cases)
    )


def _of_directly(rows: Sequence[Row]) -> float:
    """The most that ours is of the library itself; without end where either refuses."""
    direct = [row for row in rows if row["contender"] == DIRECTLY]
    return max(1 / row["ratio"] if "ratio" in row else math.inf for row in direct)


def _single_files(case: str) -> Callable[[Sequence[Row]], float]:
    """How many times as long as from single files ours takes from one file of many frames."""
    return lambda rows: 1 / _ratio(case, "torchdicom, single files", threads=2)(rows)


def _second_thread(*cases: str) -> Callable[[Sequence[Row]], float]:
    """How many times as long as with two threads ours takes with one, where that is least."""
    return lambda rows: min(
        float(row["ratio"])
        for row in rows
        if row["case"] in cases and row["contender"] == OURS and row["threads"] == 1
    )


_EPOCHS: Final = ("epoch_volumes", "epoch_images", "epoch_patches")
_WHOLE_VOLUMES: Final = {"native": 10, "jpeg_lossless": 4, "jpeg_2000": 10}
_COMPRESSED: Final = (
    *("deflated", "rle", "jpeg_lossless", "jpeg_ls"),
    *("jpeg_2000", "htj2k", "jpeg_12bit", "jpeg_8bit"),
)
# At least so many times as fast as the best of the others.
_DECODERS: Final = {"rle": 2, "jpeg_lossless": 2, "jpeg_ls": 1.4}
_LOADS: Final = dict.fromkeys(_COMPRESSED, 2.0) | {"htj2k": 1.4, "jpeg_2000": 0.95}
_SCALING: Final = dict.fromkeys(_COMPRESSED, 1.8) | {"jpeg_2000": 1.5}

# Not deflated: one data set is one stream (PS3.5 A.5), which one thread inflates.
_FRAMES: Final = ("native", "rle", "jpeg_lossless", "jpeg_ls", "jpeg_2000", "htj2k")

BARS: Final = (
    Bar(
        "volume",
        "native: at least {limit} times as fast as the pydicom loop",
        _ratio("native", "pydicom loop"),
        20,
    ),
    Bar(
        "volume",
        "native: at least {limit} times as fast as dicomsdl, with 1 thread or 2",
        _ratio("native", "dicomsdl"),
        5,
    ),
    Bar(
        "volume",
        "native: at least {limit} times as fast as the converted .npy, mapped or not",
        _ratio("native", "converted: .npy"),
        2,
    ),
    Bar(
        "volume",
        "native: at most {limit} times the limit, with 2 threads",
        _of_limit,
        1.5,
        is_most=True,
    ),
    Bar(
        "headers",
        "at least {limit} times as fast as the best peer",
        _best_scanner,
        5,
    ),
    Bar(
        "headers",
        "at most {limit} us a file on one thread",
        _microseconds_a_header,
        15,
        is_most=True,
    ),
    Bar("headers", "scan: at least {limit} times as fast as the best peer", _scan_of_peers, 5),
    Bar(
        "index",
        "opening takes at most {limit} ms at the most files",
        _at_most_files("torchdicom.open_index", "ms"),
        200,
        is_most=True,
    ),
    Bar(
        "index",
        "refreshing with nothing changed: at least {limit} times as fast as scanning",
        lambda rows: 1 / _at_most_files("torchdicom, refresh", "ratio")(rows),
        5,
    ),
    Bar(
        "index",
        "one of the most files takes at most {limit} times as long as one of a quarter as many",
        _growth_a_file("ms"),
        1.25,
        is_most=True,
    ),
    Bar(
        "indexed",
        "from an index: at most {limit} times as long as from paths",
        _ratio("native", "torchdicom, from an index"),
        1.0,
        is_most=True,
    ),
    Bar(
        "index_memory",
        "one of the most files takes at most {limit} times as much as one of a quarter as many",
        _growth_a_file("mb"),
        1.25,
        is_most=True,
    ),
    *(
        Bar(
            "multiframe",
            f"{syntax}: at most {{limit}} times as long as from single files, with 2 threads",
            _single_files(syntax),
            1.1,
            is_most=True,
            cases=(syntax,),
        )
        for syntax in _FRAMES
    ),
    *(
        Bar(
            "codecs",
            f"{syntax}: at least {{limit}} times as fast as the best of the others, CT and MG",
            _best_of_others(f"CT {syntax}", f"MG {syntax}"),
            limit,
            cases=(f"CT {syntax}", f"MG {syntax}"),
        )
        for syntax, limit in _DECODERS.items()
    ),
    Bar(
        "codecs",
        "deflated: at least {limit} times as fast as zlib, CT and MG",
        _directly("deflated"),
        2,
        cases=("CT deflated", "MG deflated"),
    ),
    *(
        Bar(
            "codecs",
            f"{syntax}: at least {{limit}} times as fast as the same library directly, CT and MG",
            _directly(syntax),
            0.95,
            cases=(f"CT {syntax}", f"MG {syntax}"),
        )
        for syntax in ("jpeg_8bit", "jpeg_2000", "htj2k")
    ),
    Bar(
        "instructions",
        "at most {limit} times those of the same library directly",
        _of_directly,
        1.05,
        is_most=True,
    ),
    *(
        Bar(
            "threads",
            f"{syntax}: at least {{limit}} times as fast as the best of the others",
            _best_of_others(syntax),
            limit,
            cases=(syntax,),
        )
        for syntax, limit in _LOADS.items()
    ),
    *(
        Bar(
            "threads",
            f"{syntax}: with a second thread at least {{limit}} times as fast as with one",
            _second_thread(syntax),
            limit,
            cases=(syntax,),
        )
        for syntax, limit in _SCALING.items()
    ),
    *(
        Bar(
            "epoch_volumes",
            f"{case}: at least {{limit}} times as fast as the {name}",
            _ratio(case, name),
            limit,
            cases=(case,),
        )
        for name, limit in (("pydicom Dataset", 20), ("converted: .npy", 1))
        for case in ("native, 64 slices", "native, 300 slices")
    ),
    *(
        Bar(
            "epoch_images",
            f"{case}: at least {{limit}} times as fast as the pydicom Dataset",
            _ratio(case, "pydicom Dataset"),
            5,
            cases=(case,),
        )
        for case in ("CT native", "DX native")
    ),
    *(
        Bar(
            "epoch_patches",
            f"{case}: at least {{limit}} times as fast as loading whole volumes with torchdicom",
            _ratio(case, "torchdicom, whole volumes"),
            limit,
            cases=(case,),
        )
        for case, limit in _WHOLE_VOLUMES.items()
    ),
    Bar("memory", "at most {limit} MB over the result", _growth, 40, is_most=True),
    *(
        Bar(question, "no wrong answer of ours", _all_right, 0, is_most=True)
        for question in (
            *("volume", "codecs", "instructions", "threads"),
            *("enhanced", "multiframe", "headers", "index", "indexed"),
            *_EPOCHS,
        )
    ),
)
