"""How much memory does a load take at its peak, over what its result takes?"""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path
from typing import Final

from benchmarks.datasets import ct_series
from benchmarks.report import Answer

_BAR_MB: Final = 40
_MB: Final = 1_000_000


def ask() -> Answer:
    """Peak of the resident memory of a fresh process over its start, for the 300-slice series."""
    command = [sys.executable, "-m", "benchmarks.peak_memory", str(ct_series())]
    done = subprocess.run(command, capture_output=True, text=True, check=True)
    row: dict[str, float] = json.loads(done.stdout)
    row["over_mb"] = round(row["growth_mb"] - row["output_mb"], 1)
    bar = f"growth at most the output and {_BAR_MB} MB"
    return Answer("peak_memory", bar, row["over_mb"] <= _BAR_MB, [row])


def _measure(folder: str) -> dict[str, float]:
    """In the child: load once, between two looks at what the kernel counts (proc(5))."""
    import torchdicom as td  # noqa: PLC0415 - the parent only needs the numbers

    td.codecs()  # the libraries are part of the start, not of the load
    # 5 resets the peak: what the imports needed for a moment is not the load's.
    Path("/proc/self/clear_refs").write_text("5", encoding="ascii")
    start = _status("VmHWM")
    volume = td.load(folder)
    growth = _status("VmHWM") - start
    size = volume.data.element_size() * volume.data.nelement()
    return {
        "output_mb": round(size / _MB, 1),
        "growth_mb": round(growth / _MB, 1),
        "start_mb": round(start / _MB, 1),
    }


def _status(key: str) -> int:
    for line in Path("/proc/self/status").read_text(encoding="utf-8").splitlines():
        name, _, value = line.partition(":")
        if name == key:
            return int(value.split()[0]) * 1024
    raise KeyError(key)


if __name__ == "__main__":
    print(json.dumps(_measure(sys.argv[1])))
