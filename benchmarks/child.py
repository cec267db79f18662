"""One contender in a process of its own, that stays and times itself when told to.

Requests and answers are lines of JSON on two pipes, whose numbers are the arguments: what a library
prints goes elsewhere. The clock runs around the work alone; what it returned is released, and
garbage collected, outside.
"""

from __future__ import annotations

import gc
import json
import os
import sys
import time
from pathlib import Path
from typing import TYPE_CHECKING, Any

from benchmarks.case import Case, Contender, Load, difference

if TYPE_CHECKING:
    from collections.abc import Sequence

Answer = dict[str, Any]


class Runner:
    """What a child can be told to do."""

    def __init__(self, contender: Contender, case: Case) -> None:
        """Prepare, and do nothing yet."""
        self.contender, self.case = contender, case
        self.load: Load = contender.prepare(case)

    def check(self) -> Answer:
        """Do the work once; is the answer right?"""
        result = self.load()
        return {"wrong": difference(self.case, self.contender.values(result))}

    def time(self, least_seconds: float, most_repeats: int) -> Answer:
        """Do the work once, and again while it takes less than `least_seconds` in all."""
        seconds: list[float] = []
        while not seconds or (sum(seconds) < least_seconds and len(seconds) < most_repeats):
            gc.collect()
            start = time.perf_counter()
            result = self.load()
            seconds.append(time.perf_counter() - start)
            del result
        return {"seconds": seconds}

    def time_cold(self) -> Answer:
        """Do the work once on files that are not in the page cache."""
        _evict(self.contender.reads(self.case))
        before = _bytes_from_disk()
        return {**self.time(0, 1), "disk_bytes": _bytes_from_disk() - before}

    def measure_memory(self) -> Answer:
        """Peak of the resident memory while working, over what it was before, in bytes."""
        # 5 resets the peak (proc(5)): what the imports needed for a moment is not the work's.
        Path("/proc/self/clear_refs").write_text("5", encoding="ascii")
        before = _status("VmHWM")
        result = self.load()
        growth = _status("VmHWM") - before
        wrong = difference(self.case, self.contender.values(result))
        return {"growth_bytes": growth, "start_bytes": before, "wrong": wrong}


def main(requests_fd: int, answers_fd: int) -> None:
    """Answer requests until there are no more."""
    from benchmarks.contenders import find  # noqa: PLC0415 - after the pipes are in place

    runner: Runner | None = None
    with os.fdopen(requests_fd) as requests, os.fdopen(answers_fd, "w") as answers:
        for line in requests:
            request: dict[str, Any] = json.loads(line)
            method = request.pop("do")
            try:
                if method in {"prepare", "rest"}:
                    runner = None
                    answer: Answer = {}
                if method == "prepare":
                    case = Case(**request["case"])
                    runner = Runner(find(case.work, request["contender"]), case)
                elif method != "rest":
                    answer = getattr(runner, method)(**request)
            except NotImplementedError:
                answer = {"absent": True}
            except Exception as error:  # noqa: BLE001 - the peers' errors are of all kinds
                answer = {"refused": _one_line(error)}
            answers.write(json.dumps(answer) + "\n")
            answers.flush()


def _one_line(error: Exception) -> str:
    # Where this checkout lies is nobody's business, and no part of the answer.
    # Some quote a padded UID with its NUL, which would make the pages binary files.
    text = " ".join(str(error).replace("\0", "").split()).replace(f"{Path.cwd()}/", "")
    return f"{type(error).__name__}: {text}"[:160]


def _evict(paths: Sequence[Path]) -> None:
    """Drop files from the page cache."""
    for path in paths:
        descriptor = os.open(path, os.O_RDONLY)
        try:
            os.fsync(descriptor)  # dirty pages stay
            os.posix_fadvise(descriptor, 0, 0, os.POSIX_FADV_DONTNEED)
        finally:
            os.close(descriptor)


def _bytes_from_disk() -> int:
    lines = Path("/proc/self/io").read_text(encoding="ascii").splitlines()
    return int(dict(line.split(": ") for line in lines)["read_bytes"])


def _status(key: str) -> int:
    """A size in bytes that the kernel keeps for this process."""
    for line in Path("/proc/self/status").read_text(encoding="utf-8").splitlines():
        name, _, value = line.partition(":")
        if name == key:
            return int(value.split()[0]) * 1024
    raise KeyError(key)


if __name__ == "__main__":
    main(int(sys.argv[1]), int(sys.argv[2]))
