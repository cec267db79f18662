"""Do two runs agree? `python -m benchmarks.compare FOLDER FOLDER` compares their ratios."""

from __future__ import annotations

import argparse
import sys
from pathlib import Path
from typing import TYPE_CHECKING

from benchmarks import tables
from benchmarks.case import OURS

if TYPE_CHECKING:
    from collections.abc import Iterator

_MOST = 0.20


def changes(first: Path, second: Path) -> Iterator[tuple[float, str]]:
    """For every ratio that both runs have, how far apart they are, and which it is."""
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
                    apart = max(row[name], other[name]) / min(row[name], other[name]) - 1
                    key = " ".join(map(str, _key(row)))
                    yield apart, f"{path.stem}: {key}: {row[name]:g} and {other[name]:g}"


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
    print(f"{len(found) - len(far)} of {len(found)} ratios are within {options.most:.0%}")
    return 1 if far or not found else 0


if __name__ == "__main__":
    sys.exit(main())
