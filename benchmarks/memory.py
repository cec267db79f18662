"""Peak memory of the contenders, each in a process of its own, one at a time."""

from __future__ import annotations

from typing import TYPE_CHECKING

from benchmarks.questions import few_slices
from benchmarks.race import Children, Lane

if TYPE_CHECKING:
    from collections.abc import Sequence

    from benchmarks.case import Case, Contender


class Memory:
    """How much they take for a case.

    Attributes:
        lanes: The contenders; their passes hold bytes.
        start_bytes: For each lane what its process had before.
    """

    def __init__(self, case: Case, contenders: Sequence[Contender], children: Children) -> None:
        """Nothing is measured yet."""
        self.case, self.lanes = case, [Lane(children.get(one, case.work)) for one in contenders]
        self.start_bytes = [0] * len(self.lanes)

    def run_pass(self) -> None:
        """Measure everyone once.

        A few slices first: libraries start much of what they have when it is needed.
        """
        for index, lane in enumerate(self.lanes):
            if lane.child.prepare(few_slices()) == {}:
                lane.child.ask("check")
            answer = lane.child.prepare(self.case) or lane.child.ask("measure_memory")
            lane.child.ask("rest")
            lane.refused, lane.wrong = answer.get("refused"), answer.get("wrong")
            if lane.refused is None:
                lane.passes.append([answer["growth_bytes"]])
                self.start_bytes[index] = answer["start_bytes"]
