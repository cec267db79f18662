"""What is known of the times of a volume, and of the slices of a mosaic."""

from __future__ import annotations

from itertools import accumulate
from typing import TYPE_CHECKING

import torch

from torchdicom._reference._repeats import coordinates

if TYPE_CHECKING:
    from collections.abc import Sequence

    from torchdicom._reference._header import FileHeader
    from torchdicom._reference._judge import Judged


def coords_of(
    judged: Judged, picks: Sequence[int], times: Sequence[int]
) -> dict[str, dict[str, torch.Tensor]]:
    """The coordinates of the selected slices and times.

    Args:
        judged: The whole series: whether something varies does not depend on a selection.
        picks: Positions along z.
        times: Positions along t.
    """
    files = judged.files
    if judged.part.kind == "cine":
        along_t = _frame_times(files) | coordinates([[file] for file in files])
        return {"t": {name: one[list(times)] for name, one in along_t.items()}}
    count = len(files) // judged.num_times
    groups = [files[k : k + count] for k in range(0, len(files), count)]
    coords: dict[str, dict[str, torch.Tensor]] = {}
    if judged.num_times > 1:
        coords["t"] = {name: one[list(times)] for name, one in coordinates(groups).items()}
    moments = [file.slice_time for file in groups[0]]
    stated = [moment for moment in moments if moment is not None]
    if len(stated) == len(moments):
        along_z = torch.tensor(stated, dtype=torch.float64)
        coords["z"] = {"MosaicRefAcqTimes": along_z[list(picks)]}
    return coords


def _frame_times(files: Sequence[FileHeader]) -> dict[str, torch.Tensor]:
    """When each frame was taken, in milliseconds after the first (PS3.3 C.7.6.5)."""
    file = files[0]
    count, steps = file.header.number_of_frames, file.frame_time_vector
    if len(steps) == count:
        times = list(accumulate((0.0, *steps[1:])))
    elif file.frame_time is not None:
        times = [frame * file.frame_time for frame in range(count)]
    else:
        return {}
    # Of a file that was divided, the frames may be several series.
    chosen = times if file.frame is None else [times[one.frame or 0] for one in files]
    return {"FrameTime": torch.tensor(chosen, dtype=torch.float64)}
