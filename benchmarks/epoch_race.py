"""A race of epochs: in the first pass also what an epoch takes besides time."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from benchmarks.race import Race

if TYPE_CHECKING:
    from benchmarks.race import Lane


class EpochRace(Race):
    """Those who give epochs.

    Attributes:
        costs: What `epoch_costs.measured` found of each contender, by its key.
    """

    def __init__(self, *arguments: Any, **options: Any) -> None:
        """Nobody has run yet; the arguments are those of `Race`."""
        super().__init__(*arguments, **options)
        self.costs: dict[str, dict[str, Any]] = {}

    def _prepare(self, lane: Lane) -> bool:
        if not super()._prepare(lane):
            return False
        key = lane.contender.key
        if lane.refused is None and key not in self.costs:
            self.costs[key] = lane.child.ask("measure_epoch")
            lane.refused = self.costs[key].get("refused")
        return True

    def with_costs(self, row: dict[str, Any]) -> dict[str, Any]:
        """A row with what was found of its contender besides time."""
        found = self.costs.get(f"{row['contender']} [{row['threads']}]", {})
        if row["refused"] is not None or not found:
            return row
        row["cpu_s"] = float(f"{found['cpu_s']:.3g}")
        row["peak_mb"] = round(found["peak_bytes"] / 1e6, 1)
        if "parts" in found:
            for name in ("parts", "libraries"):
                row[name] = {key: float(f"{value:.4g}") for key, value in found[name].items()}
        return row
