"""How many instructions a frame takes, counted by callgrind: the same on a busy machine.

Each contender decodes a file of three frames and one of the first of them, in a process under
valgrind that counts the two calls and nothing else. Half of the difference is one frame, without
what a call, a header and Python take.
"""

from __future__ import annotations

import json
import re
import shutil
import subprocess
import sys
import tempfile
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

from benchmarks.case import Case, Contender
from benchmarks.cases import COUNTED_FRAMES, first_frame
from benchmarks.child import Runner
from benchmarks.children import ROOT
from benchmarks.contenders import find
from benchmarks.native.build import library

if TYPE_CHECKING:
    from collections.abc import Sequence

MISSING: Final = "valgrind is not installed; please type: sudo apt-get install valgrind"
_TIMEOUT_S: Final = 600
_TOTAL: Final = re.compile(r"^totals: (\d+)$", re.MULTILINE)


@dataclass(eq=False)
class Count:
    """A contender, and what came of it.

    Attributes:
        instructions: For one frame.
    """

    contender: Contender
    refused: str | None = None
    wrong: str | None = None
    instructions: int = 0


class Instructions:
    """How many each takes for a frame of a case.

    Attributes:
        lanes: Those who take part.
    """

    def __init__(self, case: Case, contenders: Sequence[Contender]) -> None:
        """Nothing is counted yet."""
        self.case, self.lanes = case, [Count(one) for one in contenders]
        self._is_done = False

    @property
    def unsettled(self) -> int:
        """How many rows another pass is for: counts are the same every time."""
        return 0 if self._is_done else len(self.lanes)

    def run_pass(self) -> None:
        """Count for everyone, one after the other."""
        self._is_done = True
        cases = [first_frame(self.case), self.case]
        for lane in self.lanes:
            answer = _counted(lane.contender, cases)
            lane.refused, lane.wrong = answer.get("refused"), answer.get("wrong")
            if lane.refused is None:
                one, all_frames = answer["instructions"]
                lane.instructions = (all_frames - one) // (COUNTED_FRAMES - 1)


def is_possible() -> bool:
    """Whether valgrind is there."""
    return shutil.which("valgrind") is not None


def _counted(contender: Contender, cases: Sequence[Case]) -> dict[str, Any]:
    """What the process said, with the instructions of each case."""
    work = json.dumps([asdict(case) for case in cases])
    with tempfile.TemporaryDirectory() as folder:
        counts = Path(folder) / "counts"
        done = subprocess.run(
            [
                *("valgrind", "--tool=callgrind", "--instr-atstart=no", "--quiet"),
                f"--callgrind-out-file={counts}",
                *(sys.executable, "-m", "benchmarks.instructions", contender.key, work),
            ],
            cwd=ROOT,
            capture_output=True,
            text=True,
            check=False,
            timeout=_TIMEOUT_S,
        )
        if done.returncode:
            lines = done.stderr.strip().splitlines() or ["no word"]
            return {"refused": f"exit status {done.returncode}: {lines[-1]}"[:160]}
        answer: dict[str, Any] = json.loads(done.stdout.splitlines()[-1])
        answer["instructions"] = [
            sum(map(int, _TOTAL.findall(Path(f"{counts}.{part}").read_text(encoding="utf-8"))))
            for part in range(1, len(cases) + 1)
        ]
    return answer


def main(key: str, work: str) -> None:
    """In the process under valgrind: check each answer, then count the same call once more."""
    cases = [Case(**facts) for facts in json.loads(work)]
    runners = [Runner(find(case.work, key), case) for case in cases]
    wrong = [runner.check()["wrong"] for runner in runners]
    counter = library("count.c")
    for runner in runners:
        counter.count_start()
        result = runner.load()
        counter.count_stop()
        del result  # not sooner: to give memory back is no part of the work
    print(json.dumps({"wrong": next(filter(None, wrong), None)}))


if __name__ == "__main__":
    main(sys.argv[1], sys.argv[2])
