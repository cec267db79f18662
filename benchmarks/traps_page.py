"""The tables of the traps, from the JSON."""

from __future__ import annotations

from collections import Counter
from typing import TYPE_CHECKING, Any, Final

from benchmarks import tables

if TYPE_CHECKING:
    from collections.abc import Mapping

    Row = Mapping[str, Any]

_GOOD: Final = "right, or refused or warned where it must"
_REFUSED: Final = "refuses a sound series"
_SAID: Final = "wrong, and says so"
_SILENT: Final = "wrong or one of several, without a word"
_CRASHED: Final = "crashes"


def page(answer: Mapping[str, Any]) -> str:
    """How often each reader does what, and then every answer."""
    rows = answer["rows"]
    readers = list(dict.fromkeys(row["contender"] for row in rows))
    when = f"Asked on {answer['date'][:10]}, commit {answer['commit']}."
    return "\n\n".join((when, tables.bars(answer), _counts(rows, readers), _answers(rows, readers)))


def _counts(rows: list[Row], readers: list[str]) -> str:
    columns = (_GOOD, _REFUSED, _SAID, _SILENT, _CRASHED)
    lines = []
    for reader in readers:
        counted = Counter(_kind(row) for row in rows if row["contender"] == reader)
        lines.append((reader, *(str(counted[name]) for name in columns)))
    return tables.markdown(("reader", *columns), lines)


def _kind(row: Row) -> str:
    status = row["status"]
    if status == "crashes":
        return _CRASHED
    if status == "right" or (row["wants"] == "a refusal" and status in {"refuses", "warns"}):
        return _GOOD
    return {"refuses": _REFUSED, "warns": _SAID, "prints": _SAID}.get(status, _SILENT)


def _answers(rows: list[Row], readers: list[str]) -> str:
    """A line a trap, a column a reader."""
    cells = {(row["case"], row["contender"]): row for row in rows}
    wants = {row["case"]: row["wants"] for row in rows}
    notes = tables.Notes()
    lines = [
        (case, wants[case], *(_cell(cells[case, reader], notes) for reader in readers))
        for case in wants
    ]
    table = tables.markdown(("trap", "asks for", *readers), lines)
    return f"{table}\n\n{notes.text()}".rstrip()


def _cell(row: Row, notes: tables.Notes) -> str:
    status = row["status"]
    text = status if _kind(row) in {_GOOD, _REFUSED} else f"**{status}**"
    return text + (notes.mark(_escaped(row["how"])) if row["how"] else "")


def _escaped(text: str) -> str:
    """As plain text in Markdown."""
    for sign in ("\\", "|", "_", "*", "[", "]", "`"):
        text = text.replace(sign, f"\\{sign}")
    return text.replace("<", "&lt;")
