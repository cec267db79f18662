"""Tables in Markdown from the rows of an answer."""

from __future__ import annotations

import hashlib
import json
from typing import TYPE_CHECKING, Any, Final

from benchmarks.case import OURS

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence
    from pathlib import Path

    Row = Mapping[str, Any]

_PEERS_OF_README: Final = (
    "pydicom loop",
    "pydicom + imagecodecs",
    "SimpleITK",
    "MONAI ITKReader",
    "TorchIO",
    "dicomsdl",
    "GDCM (C++)",
)


def read(folder: Path, question: str) -> dict[str, Any]:
    """The answer to a question."""
    answer: dict[str, Any] = json.loads((folder / f"{question}.json").read_text(encoding="utf-8"))
    return answer


def digest(rows: Sequence[Row]) -> str:
    """What a plot was drawn from; it stands in its description."""
    return hashlib.sha256(json.dumps(rows).encode()).hexdigest()[:16]


def markdown(columns: Sequence[str], lines: Iterable[Sequence[str]]) -> str:
    """A table; all columns but the first to the right."""
    rule = ["---", *(["---:"] * (len(columns) - 1))]
    return "\n".join("| " + " | ".join(line) + " |" for line in (columns, rule, *lines))


def bars(answer: Mapping[str, Any]) -> str:
    """What had to hold, and whether it did."""
    found = answer["bars"]
    lines = (
        (bar["text"], f"{bar['measured']:g}", "yes" if bar["holds"] else "**no**") for bar in found
    )
    return markdown(("bar", "measured", "holds"), lines) if found else ""


def results(rows: Sequence[Row]) -> str:
    """A line a contender, a column a case; times in ms and how many times ours that is."""
    cases = list(dict.fromkeys(row["case"] for row in rows))
    lanes = list(dict.fromkeys((row["contender"], row["threads"]) for row in rows))
    cells = {(row["contender"], row["threads"], row["case"]): row for row in rows}
    notes = Notes()
    lines = [
        (name, str(threads), *(_cell(cells.get((name, threads, case)), notes) for case in cases))
        for name, threads in lanes
    ]
    table = markdown(("contender", "threads", *cases), lines)
    return f"{table}\n\n{notes.text()}".rstrip()


class Notes:
    """What is wrong or refused, numbered in the order met, the same text once."""

    def __init__(self) -> None:
        """None yet."""
        self._numbers: dict[str, int] = {}

    def mark(self, text: str) -> str:
        """The mark that leads to it."""
        number = self._numbers.setdefault(text, len(self._numbers) + 1)
        return f"<sup>{number}</sup>"

    def text(self) -> str:
        """All of them."""
        lines = (f"<sup>{number}</sup> {text}  " for text, number in self._numbers.items())
        return "\n".join(lines)


def _cell(row: Row | None, notes: Notes) -> str:
    if row is None:
        return ""
    if row["refused"]:
        return "refused" + notes.mark(_escaped(row["refused"]))
    if "instructions" in row:
        text = f"{row['instructions'] / 1e6:.2f} M ({row['ratio']:.3f}x)"
    elif "mb" in row:
        text = f"{row['mb']:.0f} MB"
    else:
        text = f"{_number(row['ms'])} ms"
        if "ratio" in row:
            text += f" ({_ratio(row)})"
    if row["wrong"]:
        text += " **wrong**" + notes.mark(_escaped(row["wrong"]))
    return text


def _escaped(text: str) -> str:
    """As plain text in Markdown."""
    return text.replace("|", "\\|").replace("<", "&lt;").replace("_", "\\_").replace("*", "\\*")


def _ratio(row: Row) -> str:
    """How many times as long as ours; where that has not settled, between what it lies."""
    if "interval" not in row:
        return times(row["ratio"])
    low, high = (times(end) for end in row["interval"])
    return low if low == high else f"{low[:-1]} to {high}"


def _number(value: float) -> str:
    return f"{value:.0f}" if value >= 100 else f"{value:.3g}"


def times(ratio: float) -> str:
    """A ratio with two digits."""
    return (
        f"{ratio:.0f}x" if ratio >= 9.95 else f"{ratio:.1f}x" if ratio >= 0.95 else f"{ratio:.2f}x"
    )


def slower(rows: Sequence[Row]) -> str:
    """Every right answer of someone else that came sooner than ours with two threads."""
    lines = [
        (row["case"], row["contender"], str(row["threads"]), _ratio(row))
        for row in rows
        if row.get("ratio", 1) < 1 and not row["wrong"]
        if not row["contender"].startswith((OURS, "limit"))
    ]
    if not lines:
        return "Nobody's right answer came sooner."
    return markdown(("case", "contender", "threads", "of our time"), lines)


def readme(answer: Mapping[str, Any]) -> str:
    """A line a syntax: our time, and how many times that the others take."""
    rows = answer["rows"]
    lines = []
    for case in dict.fromkeys(row["case"] for row in rows):
        own = next(row for row in rows if _is(row, case, OURS) and row["threads"] == 2)
        ms = "refused" if own["refused"] else f"{_number(own['ms'])} ms"
        lines.append((case, ms, *(_best(rows, case, name) for name in _PEERS_OF_README)))
    return markdown(("transfer syntax", "torchdicom", *_PEERS_OF_README), lines)


def _best(rows: Sequence[Row], case: str, name: str) -> str:
    """Of one and two threads the faster, in times ours."""
    found = [row for row in rows if _is(row, case, name)]
    right = [row for row in found if "ratio" in row and not row["wrong"]]
    if right:
        return _ratio(min(right, key=lambda row: float(row["ratio"])))
    if any(row["wrong"] for row in found):
        return "wrong"
    return "refused" if any(row["refused"] for row in found) else ""


def _is(row: Row, case: str, name: str) -> bool:
    return bool(row["case"] == case and row["contender"] == name)
