"""Samples to batches: equal shapes are stacked, others padded where that is asked for."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any, Final

import numpy as np
import torch

from torchdicom._training._batch import Slots, copy_into, new_tensor, new_tensor_like

if TYPE_CHECKING:
    from collections.abc import Callable

    from torchdicom._training._batch import NewTensor

# So many values torch copies without threads of its own (at::internal::GRAIN_SIZE).
_ONE_THREAD: Final = 32_768

# What is on the grid of the image, and padded with it; each is 0 there.
_ON_GRID: Final = ("label", "mask")


def collate(samples: Sequence[Any], *, pad: float | None = None) -> Any:
    """Make a batch of samples: the ``collate_fn`` of a ``torch.utils.data.DataLoader``.

    Tensors, arrays and numbers are stacked along a new first dim, texts become a list, and dicts,
    tuples and lists keep their form. In a worker of a DataLoader the batch is in shared memory,
    and images of this package's datasets have been decoded right into it.

    Args:
        samples: Samples of one form; those of `VolumeDataset` and its like are dicts.
        pad: None: shapes must be equal. A number: images (samples are dicts that have one) may
            differ in all dims but the first; the smaller ones have this value at the far ends of
            their dims, in a batch as large as the largest. ``mask`` (bool Tensor of shape
            (samples, 1, ...)) is then always in the batch: False where there is padding, elsewhere
            as in the sample, or True. ``label`` is padded with 0.

    Returns:
        The batch, in the form of one sample.

    Raises:
        ValueError: If shapes, types or keys differ between samples, both of which are named; if
            there is no sample; if ``pad`` is no value of the images' type.
        TypeError: If samples hold something that cannot be stacked.

    Example:
        >>> import torch
        >>> import torchdicom as td
        >>> samples = [{"image": torch.ones(1, 2, n)} for n in (3, 4)]
        >>> batch = td.collate(samples, pad=-1)
        >>> batch["image"][0].tolist(), batch["mask"][0].sum().item()
        ([[[1.0, 1.0, 1.0, -1.0], [1.0, 1.0, 1.0, -1.0]]], 6)
    """
    slots = getattr(samples, "slots", None)
    return assemble(samples, pad=check_pad(pad), new=new_tensor, slots=slots)


def check_pad(pad: object) -> float | None:
    """The value to pad with, or None.

    Raises:
        TypeError: If it is neither a number nor None.
    """
    if pad is None or (isinstance(pad, (int, float)) and not isinstance(pad, bool)):
        return pad
    msg = f"pad must be a number or None, not {type(pad).__name__}"
    raise TypeError(msg)


def assemble(
    samples: Sequence[Any],
    *,
    pad: float | None,
    new: NewTensor,
    slots: Slots | None = None,
    names: Callable[[int], str] = "sample {} of the batch".format,
) -> Any:
    """The same for the `Loader`.

    Args:
        samples: The samples.
        pad: As in `collate`.
        new: Where memory comes from.
        slots: Where the images may lie already.
        names: What errors call the samples.
    """
    if not samples:
        msg = "there is no sample to make a batch of"
        raise ValueError(msg)

    def named(k: int) -> str:
        sample = samples[k]
        has_series = isinstance(sample, Mapping) and isinstance(sample.get("series"), str)
        return f"{names(k)} (series {sample['series']})" if has_series else names(k)

    gather = _Gather(new, named)
    if not (isinstance(samples[0], Mapping) and isinstance(samples[0].get("image"), torch.Tensor)):
        if pad is not None:
            msg = f"pad needs samples that are dicts with a tensor 'image': {named(0)} is none"
            raise ValueError(msg)
        return gather.any_form("the sample", list(samples))
    gather.check_keys("the sample", samples)
    images = _images(samples, pad, gather, slots)
    batch: dict[str, Any] = {}
    for key in samples[0]:
        values = [sample[key] for sample in samples]
        if key == "image":
            batch[key] = images.whole
        elif pad is not None and key in _ON_GRID:
            batch[key] = _on_grid(key, values, images, gather)
        else:
            batch[key] = gather.any_form(key, values)
    if pad is not None and "mask" not in batch:
        batch["mask"] = _mask(images, new_tensor_like(images.whole, gather.new))
    return batch


def _images(
    samples: Sequence[Mapping[str, Any]], pad: float | None, gather: _Gather, slots: Slots | None
) -> Slots:
    """All images in one tensor."""
    images = [sample["image"] for sample in samples]
    gather.check_tensors("image", images)
    shapes = [tuple(image.shape) for image in images]
    if pad is None:
        advice = "give the dataset size=, or give pad=, the value around smaller images"
        if len({len(shape) for shape in shapes}) == 1 and len({shape[:1] for shape in shapes}) > 1:
            advice = "gray and colour, or other numbers of times, belong in datasets of their own"
        gather.check_equal("image", "shape", shapes, advice)
    else:
        _check_value(pad, images[0].dtype)
        gather.check_equal("image", "number of dims", [len(shape) for shape in shapes])
        if len(shapes[0]) < 2:
            msg = f"image of {gather.named(0)} has shape {shapes[0]}: there is no dim to pad"
            raise ValueError(msg)
        gather.check_equal("image", "number of channels", [shape[0] for shape in shapes])
    # All or none: to copy one into its place might overwrite another that lies there.
    if slots is None or len(slots.shapes) != len(images) or not _are_in(slots, images):
        slots = Slots(shapes, images[0].dtype, new_tensor_like(images[0], gather.new))
    for k, image in enumerate(images):
        slots.put(k, image)
        if pad is not None:
            slots.fill_around(k, pad)
    return slots


def _are_in(slots: Slots, images: Sequence[torch.Tensor]) -> bool:
    """Whether each image lies in its place."""
    return all(slots.has(k, image) for k, image in enumerate(images))


def _on_grid(key: str, values: list[Any], images: Slots, gather: _Gather) -> torch.Tensor:
    """What lies on the grids of the images, with 0 around."""
    gather.check_tensors(key, values)
    shapes = [tuple(value.shape) for value in values]
    for k, shape in enumerate(shapes):
        if not shape or shape[1:] != images.shapes[k][1:]:
            msg = f"{key} of {gather.named(k)} has shape {shape}, and its image "
            msg += f"{images.shapes[k]}: their grids differ"
            raise ValueError(msg)
    gather.check_equal(key, "number of channels", [shape[0] for shape in shapes])
    slots = Slots(shapes, values[0].dtype, new_tensor_like(values[0], gather.new))
    for k, value in enumerate(values):
        slots.put(k, value)
        slots.fill_around(k, 0)
    return slots.whole


def _mask(images: Slots, new: NewTensor) -> torch.Tensor:
    """True where the images are, of shape (samples, 1, ...)."""
    slots = Slots([(1, *shape[1:]) for shape in images.shapes], torch.bool, new)
    for k in range(len(images.shapes)):
        slots.fill(k, 1)
        slots.fill_around(k, 0)
    return slots.whole


def _check_value(pad: float, dtype: torch.dtype) -> None:
    if dtype.is_floating_point or dtype.is_complex:
        return
    least, most = (0, 1)
    if dtype is not torch.bool:
        least, most = torch.iinfo(dtype).min, torch.iinfo(dtype).max
    if not (float(pad).is_integer() and least <= pad <= most):
        msg = f"pad={pad!r} is no value of {dtype}, the type of the images"
        raise ValueError(msg)


class _Gather:
    """Makes one value of those of all samples, and names the samples that do not go together."""

    def __init__(self, new: NewTensor, named: Callable[[int], str]) -> None:
        self.new = new
        self.named = named

    def any_form(self, what: str, values: list[Any]) -> Any:
        """Values of one form as one of that form."""
        first = values[0]
        if isinstance(first, (torch.Tensor, np.ndarray, np.generic, bool, int, float)):
            return self._stack(what, values)
        self.check_equal(what, "type", [type(value).__name__ for value in values])
        if isinstance(first, (str, bytes)):
            return values
        if isinstance(first, Mapping):
            self.check_keys(what, values)
            return {k: self.any_form(str(k), [value[k] for value in values]) for k in first}
        if isinstance(first, (tuple, list)):
            self.check_equal(what, "length", [len(value) for value in values])
            columns = zip(*values, strict=True)
            parts = [self.any_form(f"{what}[{k}]", list(one)) for k, one in enumerate(columns)]
            if hasattr(first, "_fields"):  # a named tuple
                return type(first)(*parts)
            return tuple(parts) if isinstance(first, tuple) else parts
        msg = f"{what} of {self.named(0)} is {type(first).__name__}, which cannot be stacked"
        raise TypeError(msg)

    def _stack(self, what: str, values: list[Any]) -> torch.Tensor:
        """Tensors, arrays or numbers along a new first dim."""
        if all(type(value) is int for value in values):
            tensors = list(torch.tensor(values).unbind())
        else:
            tensors = [self._as_tensor(what, k, value) for k, value in enumerate(values)]
        self.check_tensors(what, tensors)
        shapes = [tuple(tensor.shape) for tensor in tensors]
        self.check_equal(what, "shape", shapes)
        new = new_tensor_like(tensors[0], self.new)
        whole = new((len(tensors), *shapes[0]), tensors[0].dtype)
        if whole.numel() <= _ONE_THREAD:
            with torch.no_grad():
                return torch.stack(tensors, out=whole)
        for place, tensor in zip(whole, tensors, strict=True):
            copy_into(place, tensor)
        return whole

    def _as_tensor(self, what: str, k: int, value: object) -> torch.Tensor:
        if isinstance(value, torch.Tensor):
            return value
        if isinstance(value, float):  # as torch's own collate function has it
            return torch.tensor(value, dtype=torch.float64)
        if isinstance(value, (np.ndarray, np.generic, bool, int)):
            return torch.as_tensor(value)
        msg = f"{what} of {self.named(k)} is {type(value).__name__}, and that of {self.named(0)} "
        raise TypeError(msg + "is a number or tensor")

    def check_tensors(self, what: str, values: Sequence[Any]) -> None:
        """That all are tensors of one type."""
        for k, value in enumerate(values):
            if not isinstance(value, torch.Tensor):
                msg = f"{what} of {self.named(k)} is {type(value).__name__}, not a tensor"
                raise TypeError(msg)
        self.check_equal(what, "dtype", [value.dtype for value in values])
        self.check_equal(what, "device", [str(value.device) for value in values])

    def check_keys(self, what: str, values: Sequence[Any]) -> None:
        """That all dicts have the same keys."""
        for k, value in enumerate(values):
            if not isinstance(value, Mapping):
                msg = f"{what} of {self.named(k)} is {type(value).__name__}, and that of "
                raise TypeError(msg + f"{self.named(0)} is a dict")
        self.check_equal(what, "keys", [sorted(map(str, value)) for value in values])

    def check_equal(self, what: str, quality: str, found: Sequence[Any], advice: str = "") -> None:
        """That samples agree; names the first and the first that differs from it."""
        for k, one in enumerate(found):
            if one != found[0]:
                msg = (
                    f"{what} differs in {quality}: {found[0]} in {self.named(0)}, "
                    f"{one} in {self.named(k)}"
                )
                raise ValueError(f"{msg}: {advice}" if advice else msg)
