"""The values of a series, finished on their way into memory."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Any

from torchdicom import _native
from torchdicom._arguments import check_threads, frame_options, load_options
from torchdicom._series import load_checked

if TYPE_CHECKING:
    from collections.abc import Sequence

    import torch

    from torchdicom._series import Series
    from torchdicom._training._recipe import Recipe
    from torchdicom._volume import Volume


def load_finished(
    series: Series,
    recipe: Recipe,
    *,
    out: torch.Tensor | None,
    num_threads: int | None,
    **part: Any,
) -> Volume:
    """A series, or of it the `slices` and `region` of `part`, as a recipe has its values."""
    options = load_options(
        output=recipe.output,
        finish=recipe.finish,
        reduce=recipe.reduce,
        dtype=recipe.dtype,
        policy=recipe.policy,
        mask=recipe.mask,
        out=out,
        num_threads=num_threads,
        **part,
    )
    volume = load_checked(series, options)
    # One that was repaired has a mask in any case, and samples are alike.
    if recipe.mask or volume.valid_mask is None:
        return volume
    return replace(volume, valid_mask=None)


def options_of_frames(recipe: Recipe) -> dict[str, Any]:
    """What `decode_finished` wants, checked once for all frames."""
    return frame_options(
        output=recipe.output, finish=recipe.finish, reduce=recipe.reduce, dtype=recipe.dtype
    )


def decode_together(
    wanted: Sequence[tuple[Series, int]],
    options: dict[str, Any],
    *,
    out: torch.Tensor,
    num_threads: int | None,
) -> list[bool]:
    """Frames of several series likewise, in one call of the core.

    Args:
        wanted: The series and the frame of each.
        options: As in `decode_finished`.
        out (Tensor of shape (frames, channels, rows, columns)): Contiguous memory of the CPU.
        num_threads: Threads for this call.

    Returns:
        Whether each is there; of one that is not `decode_finished` says why.
    """
    files = [series._files.known(frame) for series, frame in wanted]  # noqa: SLF001 - as below
    named = {name: options[name] for name in ("output", "dtype", "reduce", "finish")}
    return _native.decode_each(files, out=out, num_threads=check_threads(num_threads), **named)


def decode_finished(
    series: Series,
    frame: int,
    options: dict[str, Any],
    *,
    out: torch.Tensor | None,
    num_threads: int | None,
) -> torch.Tensor:
    """One frame by itself likewise, without a mask, of shape (channels, rows, columns).

    Args:
        series: The series.
        frame: Which of its frames, in slice order.
        options: What `options_of_frames` made of the recipe.
        out: Contiguous memory of the CPU of that shape and the recipe's type, or None.
        num_threads: Threads for this call.
    """
    path, number = series._files.at(frame)  # noqa: SLF001 - an index is ours
    # Gray frames have no dim of their own for the channel.
    memory = out if out is None or len(out) == 1 else out[None]
    own = {"out": memory, "num_threads": check_threads(num_threads)}
    data = _native.decode_frames(path, frames=[number], **options | own)
    return data.reshape(-1, *data.shape[-2:]) if out is None else out
