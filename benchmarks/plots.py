"""Bars on a logarithmic scale: the time of everyone, at every case of a question."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

import matplotlib as mpl
from matplotlib.figure import Figure

from benchmarks.case import OURS
from benchmarks.tables import digest

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from matplotlib.axes import Axes

    Row = Mapping[str, Any]

FOLDER: Final = Path(__file__).resolve().parent / "plots"
_COLOURS: Final = {
    OURS: "#d1495b",
    "limit": "#444444",
    "converted": "#8d96a3",
    "only mapped": "#8d96a3",
}
_PEER: Final = "#2e7fab"
_WRONG: Final = "#e0c9a6"
_COLUMNS: Final = 3


def draw(title: str, rows: Sequence[Row], path: Path) -> None:
    """Draw the answer to a question into an SVG file."""
    cases = list(dict.fromkeys(row["case"] for row in rows))
    by_case = [
        [row for row in rows if row["case"] == case and not row["refused"]] for case in cases
    ]
    columns = min(_COLUMNS, len(cases))
    lines = -(-len(cases) // columns)
    height = 0.2 * max(map(len, by_case)) + 0.7
    mpl.rcParams.update({"svg.hashsalt": "torchdicom", "svg.fonttype": "none", "font.size": 8})
    figure = Figure(figsize=(4.4 * columns, height * lines + 0.4), layout="constrained")
    figure.suptitle(title)
    all_axes = figure.subplots(lines, columns, squeeze=False).flat
    for axes, case, found in zip(all_axes, cases, by_case, strict=False):
        _draw_case(axes, case, found)
    for axes in list(all_axes)[len(cases) :]:
        axes.set_visible(False)
    path.parent.mkdir(exist_ok=True)
    figure.savefig(path, metadata={"Date": None, "Description": digest(rows)})
    # Its lines end in spaces, which is a difference that nobody wants to see.
    text = "\n".join(line.rstrip() for line in path.read_text(encoding="utf-8").splitlines())
    path.write_text(text + "\n", encoding="utf-8")


def _draw_case(axes: Axes, case: str, rows: Sequence[Row]) -> None:
    unit = next(unit for unit in ("instructions", "mb", "ms") if unit in rows[0])
    ordered = sorted(rows, key=lambda row: -float(row[unit]))
    names = [f"{row['contender']} [{row['threads']}]" for row in ordered]
    values = [float(row[unit]) for row in ordered]
    bars = axes.barh(names, values, color=[_colour(row) for row in ordered], height=0.75)
    axes.bar_label(bars, [f"{value:.3g}" for value in values], padding=2, fontsize=7)
    axes.set_xscale("log")
    axes.set_xlim(min(values) / 2, max(values) * 3)
    axes.set_title(f"{case}, {unit.replace('mb', 'MB')}", fontsize=9)
    axes.spines[["top", "right"]].set_visible(False)


def _colour(row: Row) -> str:
    if row["wrong"]:
        return _WRONG
    return next((c for name, c in _COLOURS.items() if row["contender"].startswith(name)), _PEER)
