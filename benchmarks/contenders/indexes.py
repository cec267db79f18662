"""What an index costs, and what it saves: only torchdicom has one."""

from __future__ import annotations

import hashlib
import os
import subprocess
import sys
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

from benchmarks.case import OURS, Case, Contender, Load
from benchmarks.contenders import ours

if TYPE_CHECKING:
    from collections.abc import Callable

# Not beside the data, which checkouts may share whose indexes are of different versions.
_FOLDER: Final = Path(__file__).resolve().parents[2] / "build" / "indexes"
_MODULES: Final = ("torch", "torchdicom", "pyarrow.parquet")


def saved_index(folder: str | Path) -> Path:
    """Where the index of a folder is, for those who open it."""
    place = hashlib.sha256(os.fsencode(folder)).hexdigest()  # an index knows where its files are
    return _FOLDER / f"{Path(folder).name}-{place[:8]}.parquet"


@cache
def make_index(folder: Path) -> None:
    """Make the index of a folder anew, once a run: one that is there may be of other code.

    By a process of its own, since what a scan leaves in memory is no business of the one that
    starts the contenders.
    """
    saved_index(folder).parent.mkdir(parents=True, exist_ok=True)
    # Not with `index=`, which would go on from what is there.
    code = "import sys, torchdicom as td; td.scan(sys.argv[1], progress=False).save(sys.argv[2])"
    command = [sys.executable, "-c", code, str(folder), str(saved_index(folder))]
    subprocess.run(command, check=True)


def _scan(threads: int) -> Callable[[Case], Load]:
    def prepare(case: Case) -> Load:
        import torchdicom as td  # noqa: PLC0415

        return lambda: td.scan(case.folder, num_threads=threads, progress=False)

    return prepare


def _open(case: Case) -> Load:
    import torchdicom as td  # noqa: PLC0415

    path = saved_index(case.folder)
    return lambda: td.open_index(path)


def _refresh(case: Case) -> Load:
    import torchdicom as td  # noqa: PLC0415

    index = td.open_index(saved_index(case.folder))
    return lambda: index.refresh(num_threads=2, progress=False)


def _load(case: Case) -> Load:
    import torchdicom as td  # noqa: PLC0415

    (series,) = td.open_index(saved_index(case.folder)).series
    return lambda: series.load(num_threads=2)


def _counts(index: Any) -> tuple[int, int]:
    return len(index), index.to_arrow().num_rows


def _values(volume: Any) -> Any:
    return volume.data.numpy()


INDEX: Final = (
    *(Contender(OURS, _scan(n), n, _counts, _MODULES) for n in (1, 2)),
    Contender("torchdicom.open_index", _open, 1, _counts, _MODULES),
    Contender("torchdicom, refresh", _refresh, 2, _counts, _MODULES),
)
INDEXED: Final = (
    *(one for one in ours.VOLUME if one.name == OURS and one.threads == 2),
    Contender("torchdicom, from an index", _load, 2, _values, _MODULES),
)
