"""The stack of slices that a load of a series gives: that of its files, or a repaired one."""

from __future__ import annotations

from dataclasses import asdict
from typing import TYPE_CHECKING, NamedTuple

from torchdicom import _ext, _native
from torchdicom._policy import REPAIRS

if TYPE_CHECKING:
    import torch

    from torchdicom._policy import Policy
    from torchdicom._series import Series
    from torchdicom._training._recipe import Recipe
    from torchdicom._training._spatial import Triple


class Stack(NamedTuple):
    """Before rows and columns are halved.

    Attributes:
        shape: Slices, rows and columns.
        affine: Float64 tensor of shape (4, 4); None where the place is unknown.
        spacing_mm: Along z, y and x, NaN where unknown.
    """

    shape: Triple
    affine: torch.Tensor | None
    spacing_mm: tuple[float, float, float]


def repairs_of(policy: Policy) -> list[str]:
    """What a policy repairs where it finds it, as the policy has it."""
    return [
        f"{code}={action!r}" for code, action in REPAIRS.items() if policy.action(code) == action
    ]


def stack_of(series: Series, recipe: Recipe) -> Stack:
    """The stack that a load by this recipe gives."""
    if repairs_of(recipe.policy) and series.affine is not None:
        # Tolerances of the policy's own may find what the scan did not.
        columns, policy = series._core(), asdict(recipe.policy)  # noqa: SLF001 - an index is ours
        found = _ext.repaired_stack(columns, policy, recipe.reduce)
        affine = None if found is None else _native.to_affine(found[3])
        if found is not None and affine is not None:
            z, y, x = affine[:3, :3].square().sum(0).sqrt().tolist()
            return Stack(found[:3], affine, (z, y, x))
    shape: Triple = (series.shape[-3], series.shape[-2], series.shape[-1])
    return Stack(shape, series.affine, series.spacing_mm)
