"""Help for tests of scans: a tree of series, processes of their own, and rows to compare."""

from __future__ import annotations

import atexit
import functools
import json
import select
import subprocess
import sys
import tempfile
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from builders import ct_slice, write_series
from builders_bad import TEXT, without_pixels
from builders_parts import DX_IMAGE, part_key, write_scout
from builders_parts import SCOUT as SCOUT_TEXTS

if TYPE_CHECKING:
    import torchdicom as td

US_MULTI_FRAME = "1.2.840.10008.5.1.4.1.1.3.1"
NO_PLACE: dict[str, Any] = {"ImagePositionPatient": None, "ImageOrientationPatient": None}


def write_tree(folder: Path) -> Path:
    """A CT with its scout, an MR, a radiograph, a cine, and files of other kinds."""
    write_series(folder / "ct", 4)
    write_scout(folder / "ct")
    mr: dict[str, Any] = {
        "Modality": "MR",
        "SeriesInstanceUID": "1.2.3.5",
        "SOPInstanceUID": ["9.1", "9.2", "9.3"],
    }
    write_series(folder / "deep" / "mr", 3, step_mm=5, RescaleSlope=None, **mr)
    image = ct_slice(
        **NO_PLACE,
        SOPClassUID=DX_IMAGE,
        Modality="DX",
        SeriesInstanceUID="1.2.3.6",
        SOPInstanceUID="6.1",
    )
    (folder / "chest").write_bytes(image)
    cine = ct_slice(
        np.arange(60, dtype=np.uint8).reshape(5, 3, 4),
        **NO_PLACE,
        SOPClassUID=US_MULTI_FRAME,
        Modality="US",
        SeriesInstanceUID="1.2.3.7",
        SOPInstanceUID="7.1",
        RescaleSlope=None,
        RescaleIntercept=None,
    )
    (folder / "heart.dcm").write_bytes(cine)
    (folder / "notes.txt").write_bytes(TEXT)
    (folder / "DICOMDIR").write_bytes(without_pixels("Rows", "Columns"))
    return folder


CT = part_key()
SCOUT = part_key(SCOUT_TEXTS)


def listed(index: td.Index) -> dict[str, tuple[str, str | None, tuple[int, ...], bool]]:
    return {one.key: (one.kind, one.modality, one.shape, one.verdict.ok) for one in index}


def rows(index: td.Index) -> str:
    """Every row of an index, for comparison: NaN is NaN here."""
    return repr(index.to_arrow().to_pylist())


# `rchar` counts what this process has read by any call but mmap; reading the counter counts too.
COUNTING = """
import json, os, sys
from pathlib import Path
import torchdicom as td
from torchdicom import _ext

def read_so_far():
    lines = Path("/proc/self/io").read_text().splitlines()
    return int(lines[0].split()[1])

def bytes_read(call):
    first = read_so_far()
    second = read_so_far()
    call()
    third = read_so_far()
    return (third - second) - (second - first)
"""


# Forks a process for each line of its input: torch is imported once, which takes seconds.
FORKS = """
import json, os, sys, traceback
import torchdicom

def run(code, arguments, output, errors):
    for number, name in ((1, output), (2, errors)):
        os.dup2(os.open(name, os.O_WRONLY | os.O_CREAT), number)
    sys.argv = ["-c", *arguments]
    status = 1
    try:
        exec(code, {"__name__": "__main__"})
        status = 0
    except BaseException:
        traceback.print_exc()
    finally:
        sys.stdout.flush()
        sys.stderr.flush()
        os._exit(status)

while line := sys.stdin.readline():
    child = os.fork()
    if child == 0:
        run(*json.loads(line))
    print(os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]), flush=True)
"""


@functools.cache
def _forking() -> subprocess.Popen[str]:
    """The process that forks, one for all tests of this one."""
    process = subprocess.Popen(
        [sys.executable, "-c", FORKS], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
    )
    atexit.register(process.communicate)  # which closes its input: it ends
    return process


def in_child(code: str, *arguments: object) -> Any:
    """What a process of its own printed as JSON; `code` follows `COUNTING`.

    It has imported torchdicom and done nothing with it. Calls that are counted are told how many
    threads to use: to find out costs a few bytes.
    """
    process = _forking()
    assert process.stdin is not None
    assert process.stdout is not None
    with tempfile.TemporaryDirectory() as folder:
        output, errors = Path(folder, "output"), Path(folder, "errors")
        files = [str(output), str(errors)]
        line = json.dumps([COUNTING + code, [str(one) for one in arguments], *files])
        process.stdin.write(line + "\n")
        process.stdin.flush()
        is_done, _, _ = select.select([process.stdout], [], [], 240)
        assert is_done, "The process takes longer than four minutes"
        status = process.stdout.readline()
        assert status == "0\n", f"It ended with {status}{errors.read_text()}"
        return json.loads(output.read_text())
