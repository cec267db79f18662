"""The processes of the contenders: one each, kept from case to case of one kind of work."""

from __future__ import annotations

import json
import os
import select
import signal
import subprocess
import sys
from dataclasses import asdict
from pathlib import Path
from typing import IO, TYPE_CHECKING, Any, Final

if TYPE_CHECKING:
    from collections.abc import Sequence

    from typing_extensions import Self

    from benchmarks.case import Case, Contender

ROOT: Final = Path(__file__).resolve().parent.parent
_LOG: Final = ROOT / "build" / "benchmarks.log"
_TIMEOUT_S: Final = 180
Answer = dict[str, Any]


class Child:
    """The process of one contender for one kind of work."""

    def __init__(self, contender: Contender, work: str) -> None:
        """Start it."""
        self.contender, self.work = contender, work
        from_parent, to_child = os.pipe()
        from_child, to_parent = os.pipe()
        _LOG.parent.mkdir(exist_ok=True)
        pipes = (str(from_parent), str(to_parent))
        with _LOG.open("ab") as log:
            self._process = subprocess.Popen(
                [sys.executable, "-m", "benchmarks.child", work, contender.key, *pipes],
                start_new_session=True,  # it has children
                pass_fds=(from_parent, to_parent),
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=log,
                cwd=ROOT,
            )
        os.close(from_parent)
        os.close(to_parent)
        self._requests: IO[bytes] = os.fdopen(to_child, "wb", buffering=0)
        self._answers: IO[str] = os.fdopen(from_child)

    def ask(self, method: str, **arguments: object) -> Answer:
        """Have it do something; a crash or a hang is an answer too."""
        try:
            self._requests.write(json.dumps({"do": method, **arguments}).encode() + b"\n")
        except BrokenPipeError:
            return self._crashed()
        if not select.select([self._answers], [], [], _TIMEOUT_S)[0]:
            self._kill()
            return {"refused": f"took more than {_TIMEOUT_S} s"}
        line = self._answers.readline()
        if not line:
            return self._crashed()
        answer: Answer = json.loads(line)
        return answer

    def prepare(self, case: Case) -> Answer:
        """Make it ready for a case."""
        return self.ask("prepare", case=asdict(case))

    @property
    def is_alive(self) -> bool:
        """Whether the process still runs."""
        return self._process.poll() is None

    def close(self) -> None:
        """Let it end."""
        self._requests.close()
        self._answers.close()
        try:
            self._process.wait(timeout=10)
        except subprocess.TimeoutExpired:
            self._kill()

    def _kill(self) -> None:
        os.killpg(self._process.pid, signal.SIGKILL)
        self._process.wait()

    def _crashed(self) -> Answer:
        return {"refused": f"crashed the process (exit status {self._process.wait()})"}


class Children:
    """The processes for one kind of work, kept: imports take longer than most of the work.

    Those for all kinds would need more memory than a machine has, and the kernel ends one of them.
    """

    def __init__(self) -> None:
        """None yet."""
        self._children: dict[str, Child] = {}

    def __enter__(self) -> Self:
        """Nothing to do."""
        return self

    def __exit__(self, *_: object) -> None:
        """Let all of them end."""
        self._close(list(self._children.values()))

    def of(self, contenders: Sequence[Contender], work: str) -> list[Child]:
        """The processes of contenders, new ones where they died; those for other work end."""
        self._close(
            [one for one in self._children.values() if one.work != work or not one.is_alive]
        )
        new = [one for one in contenders if one.key not in self._children]
        self._children |= {one.key: Child(one, work) for one in new}
        for one in new:
            self._children[one.key].ask("rest")  # answered when it has imported what it needs
        return [self._children[one.key] for one in contenders]

    def _close(self, children: Sequence[Child]) -> None:
        for child in children:
            child.close()
            del self._children[child.contender.key]
