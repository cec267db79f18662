"""Do two runs agree? `python -m benchmarks.compare FOLDER FOLDER` compares their ratios.

Two ratios may be a fifth apart. One that had not settled is given as an interval: that has to meet
the other's, or the other ratio.
"""

from __future__ import annotations

import argparse
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Any

from benchmarks import tables
from benchmarks.case import OURS

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

_MOST = 0.20


def changes(first: Path, second: Path) -> Iterator[tuple[float, str]]:
    """For every ratio or size that both runs have, how far apart they are, and which it is."""
    for path in sorted(first.glob("*.json")):
        if not (second / path.name).is_file():
            continue
        rows = {_key(row): row for row in tables.read(second, path.stem)["rows"]}
        for row in tables.read(first, path.stem)["rows"]:
            other = rows.get(_key(row), {})
            for name in ("ratio", "mb"):
                if name == "ratio" and (row["contender"], row["threads"]) == (OURS, 2):
                    continue  # 1 of itself
                if name in row and name in other:
                    key = " ".join(map(str, _key(row)))
                    text = f"{path.stem}: {key}: {_shown(row, name)} and {_shown(other, name)}"
                    yield _apart(row, other, name), text


def _ends(row: Mapping[str, Any], name: str) -> tuple[float, float]:
    """What stands on the page: a number twice, or the ends of an interval."""
    low, high = row.get("interval", (row[name], row[name]))
    return float(low), float(high)


def _apart(row: Mapping[str, Any], other: Mapping[str, Any], name: str) -> float:
    """How much larger the one is than the other; 0 where intervals meet."""
    (low, high), (other_low, other_high) = _ends(row, name), _ends(other, name)
    return max(low / other_high, other_low / high, 1.0) - 1


def _shown(row: Mapping[str, Any], name: str) -> str:
    low, high = _ends(row, name)
    return f"{low:g}" if low == high else f"{low:g} to {high:g}"


def _key(row: dict[str, object]) -> tuple[object, ...]:
    return row["case"], row["contender"], row["threads"]


def main() -> int:
    """Print what is further apart than a fifth.

    Returns:
        1 where anything is.
    """
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("first", type=Path)
    parser.add_argument("second", type=Path)
    parser.add_argument("--most", type=float, default=_MOST, help="0.2: a fifth")
    options = parser.parse_args()
    found = sorted(changes(options.first, options.second), reverse=True)
    far = [(apart, text) for apart, text in found if apart > options.most]
    for apart, text in far:
        print(f"{apart:6.1%}  {text}")
    print(f"{len(found) - len(far)} of {len(found)} are within {options.most:.0%}")
    return 1 if far or not found else 0


if __name__ == "__main__":
    sys.exit(main())
