"""`Recipe`: every option of a dataset, checked once, before anything is read."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Literal

import torch

from torchdicom._arguments import BETWEEN_INTEGERS, OUTPUTS, check_dtype, check_reduce
from torchdicom._finish import Finish
from torchdicom._training._checks import (
    check_at_least,
    check_callable,
    check_flag,
    check_kinds,
    check_on_error,
    check_orientation,
    check_policy,
    check_spacing,
    check_triple,
)
from torchdicom._window import Window

if TYPE_CHECKING:
    import os
    from collections.abc import Callable

    from numpy.typing import NDArray

    from torchdicom._policy import Policy
    from torchdicom._series import Series
    from torchdicom._training._spatial import Triple
    from torchdicom._volume import Volume

    Sample = dict[str, Any]
    Label = torch.Tensor | NDArray[Any] | Volume | str | os.PathLike[str]
    Transform = Callable[[Sample], Sample]
    LabelOf = Callable[[Series], Label]

OnError = Literal["raise", "quarantine"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Recipe:
    """How a sample is made of a series.

    Attributes:
        output: Which values are read: ``"stored"``, ``"modality"``, ``"real_world"``, ``"suv"`` or
            ``"philips_fp"``.
        finish: What is done to them after that; None is nothing.
        reduce: How often rows and columns are halved on the way, before the finish.
        dtype: Type of the image.
        kinds: Which kinds of series there are samples of.
        size: Voxels along z, y and x to pad and crop to.
        spacing_mm: Distances along z, y and x to resample to.
        orientation: Where x, y and z point to.
        mask: Whether samples have a mask.
        policy: What to make of defects.
        on_error: What to make of series that cannot be used.
        seed: Of everything random.
        label: Gives the label of a series.
        transform: Is called with every sample.
    """

    output: str
    finish: Finish | None
    reduce: int
    dtype: torch.dtype
    kinds: tuple[str, ...]
    size: Triple | None
    spacing_mm: tuple[float, float, float] | None
    orientation: str | None
    mask: bool
    policy: Policy
    on_error: OnError
    seed: int
    label: LabelOf | None
    transform: Transform | None

    @property
    def needs_place(self) -> bool:
        """Whether a series must have an affine."""
        return self.spacing_mm is not None or self.orientation is not None


def make_recipe(  # noqa: PLR0913 - keywords all
    *,
    label: object,
    transform: object,
    output: object,
    dtype: object,
    kinds: object,
    window: object,
    clip: object,
    mean: object,
    std: object,
    mask: object,
    policy: object,
    on_error: object,
    seed: object,
    size: object = None,
    spacing_mm: object = None,
    orientation: object = None,
    resize: object = None,
    channels: int | None = None,
    reduce: object = 0,
) -> Recipe:
    """The options of a dataset, checked.

    Args:
        label: As in `VolumeDataset`, like the rest.
        transform: Callable or None.
        output: Which values.
        dtype: Of the image.
        kinds: Of series.
        window: Explicit window.
        clip: Range to cut to.
        mean: To subtract.
        std: To divide by.
        mask: Whether there are masks.
        policy: For defects.
        on_error: For series that cannot be used.
        seed: Of everything random.
        size: To pad and crop to.
        spacing_mm: To resample to.
        orientation: To turn to.
        resize: Rows and columns, as `ImageDataset` has them.
        channels: 1 or 3, which is checked already, or None for as many as there are.
        reduce: How often to halve rows and columns.

    Raises:
        TypeError: If an option is of another type than it may be.
        ValueError: If its value is none of the allowed ones, or two of them contradict.
    """
    values, finish = _values_of(output, window, clip, mean, std, resize, channels)
    spacing = None if spacing_mm is None else check_spacing(spacing_mm)
    return Recipe(
        output=values,
        finish=finish,
        reduce=check_reduce(reduce),
        dtype=_image_dtype(dtype, values, finish, spacing),
        kinds=check_kinds(kinds),
        size=None if size is None else check_triple("size", size),
        spacing_mm=spacing,
        orientation=None if orientation is None else check_orientation(orientation),
        mask=check_flag("mask", mask),
        policy=check_policy(policy),
        on_error=check_on_error(on_error),
        seed=check_at_least(0, "seed", seed),
        label=check_callable("label", label),
        transform=check_callable("transform", transform),
    )


def _values_of(
    output: object,
    window: object,
    clip: object,
    mean: object,
    std: object,
    resize: object,
    channels: int | None,
) -> tuple[str, Finish | None]:
    """What is read, and what is done to it."""
    if not isinstance(output, Window) and output not in OUTPUTS:
        allowed = ", ".join(map(repr, OUTPUTS))
        msg = f"output must be one of {allowed}, or a torchdicom.Window, not {output!r}"
        raise ValueError(msg)
    is_windowed = isinstance(output, Window) or output == "window"
    if is_windowed and not (window is None and clip is None):
        given = "window" if window is not None else "clip"
        msg = (
            f"output={output!r} is a window already, and {given}= is given too: "
            f"with {given}=, take output='modality'"
        )
        raise ValueError(msg)
    if (mean is None) != (std is None):
        msg = "mean and std go together: give both, or neither"
        raise ValueError(msg)
    options: dict[str, Any] = {"size": resize, "clip": clip}
    if isinstance(output, Window) or window is not None:
        options["window"] = _low_and_width(output if isinstance(output, Window) else window)
    elif is_windowed:
        options["window"] = "file"
    if mean is not None:
        options |= {"mean": mean, "std": std}
    finish = Finish(**options, channels=3 if channels == 3 else None)
    values = "modality" if is_windowed else str(output)
    return values, None if finish == Finish() else finish


def _low_and_width(window: object) -> tuple[float, float]:
    if isinstance(window, (str, bytes)) or not isinstance(window, (Window, Iterable)):
        msg = f"window must be a torchdicom.Window or (center, width), not {window!r}"
        raise TypeError(msg)
    if not isinstance(window, Window):
        parts = list(window)
        if len(parts) != 2:
            msg = f"window must be (center, width), not {len(parts)} values"
            raise ValueError(msg)
        window = Window(*parts)
    return window.center - window.width / 2, window.width


def _image_dtype(dtype: object, output: str, finish: Finish | None, spacing: object) -> torch.dtype:
    chosen = check_dtype(dtype)
    if chosen is None:
        return torch.float32
    if chosen.is_floating_point:
        return chosen
    if finish is not None or spacing is not None or output in BETWEEN_INTEGERS:
        msg = (
            f"dtype={chosen} has no room for what a window, clip, mean, std, channels=3, resize, "
            "spacing_mm, output='suv' or 'philips_fp' gives: take a floating-point type"
        )
        raise ValueError(msg)
    return chosen
