"""Which libraries the processor is in during an epoch, by perf where it is installed."""

from __future__ import annotations

import os
import re
import shutil
import signal
import subprocess
import tempfile
import time
from collections import Counter
from pathlib import Path
from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from benchmarks.epoch import Epoch

_HERTZ: Final = 499
_LEAST_S: Final = 1.0
_TO_ATTACH_S: Final = 0.4
_LEAST_SAMPLES: Final = 100
_TIMEOUT_S: Final = 60
# The first that is found in the path of what the sample lies in; everything else is "other".
PARTS: Final = {
    "core": ("torchdicom/_ext",),
    "codec libraries": ("libopenjp2", "libjpeg", "libdeflate"),
    "kernel": ("kernel", "[k]", "vmlinux", "vdso"),
    "Python": ("libpython", "bin/python"),
    "pyarrow": ("pyarrow", "libarrow"),
    "torch and NumPy": ("/torch/", "/numpy", "libgomp"),
}
_OBJECT: Final = re.compile(r"\(([^()]*)\)\s*$")


def shares(epoch: Epoch) -> dict[str, float]:
    """Go through epochs for a while; what part of the samples was where.

    Returns:
        Shares by the names of `PARTS` and "other", or nothing where perf can't be had or has seen
        too little.
    """
    if shutil.which("perf") is None:
        return {}
    with tempfile.TemporaryDirectory() as folder:
        data = str(Path(folder) / "samples")
        watch = ["perf", "record", "-q", "-F", str(_HERTZ), "-o", data, "-p", str(os.getpid())]
        quiet = subprocess.DEVNULL
        with subprocess.Popen(watch, stdout=quiet, stderr=quiet) as perf:
            time.sleep(_TO_ATTACH_S)
            start = time.perf_counter()
            while time.perf_counter() - start < _LEAST_S:
                epoch()
            perf.send_signal(signal.SIGINT)
            perf.wait(_TIMEOUT_S)
        told = subprocess.run(
            ["perf", "script", "-i", data, "-F", "ip,dso"],
            stdin=quiet,
            capture_output=True,
            text=True,
            check=False,
            timeout=_TIMEOUT_S,
        )
    return by_part(told.stdout)


def by_part(script: str, least: int = _LEAST_SAMPLES) -> dict[str, float]:
    """The shares, from a line for each sample; nothing of fewer than the least."""
    found = Counter(map(_part, filter(None, map(_OBJECT.search, script.splitlines()))))
    total = sum(found.values())
    if total < least:
        return {}
    return {name: found[name] / total for name in (*PARTS, "other") if found[name]}


def _part(line: re.Match[str]) -> str:
    path = line[1]
    return next((name for name, marks in PARTS.items() if any(m in path for m in marks)), "other")
