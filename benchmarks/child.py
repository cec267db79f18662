"""One contender in a process of its own, that times itself when told to.

Requests and answers are lines of JSON on two pipes, whose numbers are the arguments: what a library
prints goes elsewhere. The process imports what the contender needs and leaves the work to copies of
itself, one from each "prepare" to the next "rest": a heap that earlier work has shaped makes some
contenders half as slow again. The clock runs around the work alone; what it returned is released,
and garbage collected, outside.
"""

from __future__ import annotations

import gc
import importlib
import json
import os
import sys
import time
from contextlib import suppress
from pathlib import Path
from typing import IO, TYPE_CHECKING, Any, cast

from benchmarks.case import Case, Contender, Load, Work, difference
from benchmarks.contenders import find
from benchmarks.epoch import Epoch
from benchmarks.epoch_costs import family_bytes, measured

if TYPE_CHECKING:
    from collections.abc import Sequence

Answer = dict[str, Any]


class Runner:
    """What a child can be told to do."""

    def __init__(self, contender: Contender, case: Case) -> None:
        """Prepare, and do nothing yet."""
        self.contender, self.case = contender, case
        self._start_bytes = family_bytes() if case.work == "epoch" else 0
        self.load: Load = contender.prepare(case)

    def check(self) -> Answer:
        """Do the work once; is the answer right?"""
        if isinstance(self.load, Epoch):  # which is looked at while it goes on
            return {"wrong": difference(self.case, self.load.samples())}
        result = self.load()
        return {"wrong": difference(self.case, self.contender.values(result))}

    def warm_up(self) -> Answer:
        """Do the work once."""
        self.load()
        return {}

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

    def measure_epoch(self) -> Answer:
        """What an epoch takes of processor and memory."""
        if not isinstance(self.load, Epoch):
            msg = f"{self.contender.key} gives no epoch"
            raise TypeError(msg)
        return measured(self.load, self._start_bytes)


def main(work: Work, key: str, requests_fd: int, answers_fd: int) -> None:
    """Serve until there are no more requests."""
    contender = find(work, key)
    for module in contender.modules:
        with suppress(ImportError):  # `prepare` will say it
            importlib.import_module(module)
    gc.freeze()  # what the imports left is no garbage, and need not be looked at each time
    with os.fdopen(requests_fd) as requests, os.fdopen(answers_fd, "w") as answers:
        for request in requests:
            copy = os.fork()
            if not copy:
                _serve(contender, request, requests, answers)
                os._exit(0)
            status = os.waitstatus_to_exitcode(os.waitpid(copy, 0)[1])
            if status:
                os._exit(status % 256)  # which tells the parent


def _serve(contender: Contender, first: str, requests: IO[str], answers: IO[str]) -> None:
    """Answer requests until it may rest."""
    runner: Runner | None = None
    line = first
    while line:
        request: dict[str, Any] = json.loads(line)
        method = request.pop("do")
        answer: Answer = {}
        try:
            if method in {"prepare", "rest"}:
                runner = None  # and the workers and memory that it has
            if method == "prepare":
                runner = Runner(contender, Case(**request["case"]))
            elif method != "rest":
                answer = getattr(runner, method)(**request)
        except NotImplementedError:  # the case is not for this contender
            answer = {"absent": True}
        except Exception as error:  # noqa: BLE001 - the peers' errors are of all kinds
            answer = {"refused": _one_line(error)}
        _send(answers, answer)
        if method == "rest":
            return
        line = requests.readline()


def _send(answers: IO[str], answer: Answer) -> None:
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
    main(cast("Work", sys.argv[1]), sys.argv[2], int(sys.argv[3]), int(sys.argv[4]))
