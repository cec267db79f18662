"""Small programs for tests of Ctrl-C and of the interpreter's exit.

Each is a process of its own, forked from one that has imported torch already: to import it anew for
each would take seconds.
"""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import time
from dataclasses import dataclass
from typing import IO, TYPE_CHECKING

from helpers import WITH_TESTS

if TYPE_CHECKING:
    from pathlib import Path

    from typing_extensions import Self

# What is registered first is called last at exit; what comes then is Python's own time.
_NURSERY = """
import atexit, json, os, signal, sys, time
def tell(word):
    os.write(1, f"{word} {time.monotonic()}\\n".encode())  # in one piece
atexit.register(tell, "gone")
import torch, torchdicom as td
from loading import Numbers, Volumes
for line in sys.stdin:
    body, out, err = json.loads(line)
    child = os.fork()
    if child == 0:
        signal.alarm(60)  # a deadlock ends the program, not the tests
        for path, number in ((out, 1), (err, 2)):
            os.dup2(os.open(path, os.O_WRONLY | os.O_CREAT), number)
        break
    print(child, flush=True)
    print(os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]), flush=True)
else:
    os._exit(0)
exec(compile(body, "program", "exec"))
"""


@dataclass(frozen=True)
class Outcome:
    """What a program did.

    Attributes:
        times: When it told which word, in seconds; "sent" is when it got Ctrl-C, and "gone" when
            the last of what is registered for its exit was called.
        errors: What it wrote to stderr.
        code: Its exit code.
    """

    times: dict[str, float]
    errors: str
    code: int

    def seconds(self, first: str, last: str) -> float:
        """How long after a word another one was told."""
        return self.times[last] - self.times[first]


class Nursery:
    """Where programs are forked; has imported torch, ``torchdicom as td`` and ``loading``."""

    def __init__(self, folder: Path) -> None:
        """Start it.

        Args:
            folder: For what programs print.
        """
        self._out, self._err = folder / "out", folder / "err"
        self._process = subprocess.Popen(
            [sys.executable, "-c", _NURSERY],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
            env=WITH_TESTS,
        )

    def run(self, body: str, *, stop_after: float | None = None) -> Outcome:
        """Run a program until it ends.

        Args:
            body: Its source; it calls ``tell(word)``, and tells "ready" at some time.
            stop_after: Seconds after that it gets Ctrl-C; None: never.
        """
        for path in (self._out, self._err):
            path.unlink(missing_ok=True)
        stdin, stdout = _open(self._process.stdin), _open(self._process.stdout)
        stdin.write(json.dumps([body, str(self._out), str(self._err)]) + "\n")
        stdin.flush()
        child = int(stdout.readline())
        assert child > 1
        sent: dict[str, float] = {}
        if stop_after is not None:
            deadline = time.monotonic() + 30
            while "ready" not in self._told() and time.monotonic() < deadline:
                time.sleep(0.005)
            time.sleep(stop_after)
            sent["sent"] = time.monotonic()
            os.kill(child, signal.SIGINT)
        code = int(stdout.readline())
        return Outcome(self._told() | sent, self._err.read_text(), code)

    def _told(self) -> dict[str, float]:
        lines = self._out.read_text().split("\n")[:-1] if self._out.exists() else []
        return {word: float(at) for word, at in (line.split() for line in lines)}

    def __enter__(self) -> Self:
        """It was started already."""
        return self

    def __exit__(self, *_: object) -> None:
        """End it."""
        self._process.communicate(timeout=30)


def _open(stream: IO[str] | None) -> IO[str]:
    assert stream is not None
    return stream
