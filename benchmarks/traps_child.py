"""One reader in a process of its own, over folders; an answer each, as a line of JSON.

Arguments: the reader, the file for the answers, the folders. A reader that ends the process or
does not come back leaves its line out, and the parent goes on behind it.
"""

from __future__ import annotations

import json
import os
import signal
import sys
import tempfile
import warnings
from pathlib import Path
from typing import Any

from benchmarks.traps_readers import READERS, Found, Read

SECONDS = 120


def answer(read: Read, folder: Path) -> dict[str, Any]:
    """What a reader makes of a folder: volumes or a refusal, and what it says in Python."""
    found: dict[str, Any] = {"volumes": [], "refused": None, "code": None}
    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always")
        try:
            found["volumes"] = [_plain(volume) for volume in read(folder)]
        except Exception as error:  # noqa: BLE001 - the peers' errors are of all kinds
            found["refused"] = f"{type(error).__name__}: {error}"
            found["code"] = getattr(error, "code", None)
    found["warnings"] = [str(one.message) for one in caught]
    return found


def _plain(found: Found) -> dict[str, Any]:
    return {name: None if v is None else v.tolist() for name, v in found._asdict().items()}


def main(reader: str, target: str, folders: list[str]) -> None:
    """Answer; what is printed meanwhile, by C++ too, belongs to the answer."""
    with tempfile.TemporaryFile() as printed, Path(target).open("a", encoding="utf-8") as answers:
        os.dup2(printed.fileno(), 1)
        os.dup2(printed.fileno(), 2)
        for folder in folders:
            signal.alarm(SECONDS)  # whose default is to end the process, native code or not
            start = os.lseek(1, 0, os.SEEK_CUR)
            found = answer(READERS[reader], Path(folder))
            sys.stdout.flush()
            sys.stderr.flush()
            said = os.pread(1, os.lseek(1, 0, os.SEEK_CUR) - start, start)
            found["printed"] = said.decode(errors="replace")
            answers.write(json.dumps(found).replace(folder, "<folder>") + "\n")
            answers.flush()


if __name__ == "__main__":
    main(sys.argv[1], sys.argv[2], sys.argv[3:])
