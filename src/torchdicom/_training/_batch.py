"""The memory of a batch: where it comes from, and which part of it is whose."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, Any, Final

import numpy as np
import torch
from torch.utils.data import get_worker_info

from torchdicom import _ext
from torchdicom._threads import get_num_threads

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from numpy.typing import NDArray

    NewTensor = Callable[[Sequence[int], torch.dtype], torch.Tensor]

# The pool gives 2 MiB at least; what is smaller costs little to touch for the first time.
_POOLED_FROM: Final = 1 << 20


def new_tensor(shape: Sequence[int], dtype: torch.dtype) -> torch.Tensor:
    """A contiguous tensor, contents undefined.

    In a worker of a DataLoader its memory is shared with the process that trains, as torch's own
    collate function has it, so that it travels there without a copy. Elsewhere it is the pool's
    where that pays, which takes it back when the last view of it dies.

    Args:
        shape: Its shape.
        dtype: Its type.
    """
    nbytes = math.prod(shape) * dtype.itemsize
    if get_worker_info() is not None:
        # As torch's own collate function has it; its stubs know neither.
        new_shared: Any = torch.UntypedStorage._new_shared  # noqa: SLF001
        empty: Any = torch.empty(0, dtype=dtype)
        shared: torch.Tensor = empty.set_(new_shared(max(nbytes, 1)), 0, tuple(shape))
        return shared
    if nbytes < _POOLED_FROM:
        return torch.empty(tuple(shape), dtype=dtype)
    return torch.from_numpy(_ext.allocate(nbytes)).view(dtype).view(tuple(shape))


def new_pinned_tensor(shape: Sequence[int], dtype: torch.dtype) -> torch.Tensor:
    """The same in memory that a device copies from; torch keeps it until such copies are done."""
    return torch.empty(tuple(shape), dtype=dtype, pin_memory=True)


def new_tensor_like(image: torch.Tensor, new: NewTensor) -> NewTensor:
    """Where memory for such tensors comes from: those of a device stay there.

    Args:
        image: A tensor.
        new: Where memory of the CPU comes from.
    """
    if image.device.type == "cpu":
        return new
    return lambda shape, dtype: torch.empty(tuple(shape), dtype=dtype, device=image.device)


def copy_into(place: torch.Tensor, image: torch.Tensor) -> None:
    """Copy by this thread alone, the interpreter free meanwhile.

    NumPy does that; torch would start threads of its own for every thread that copies.

    Args:
        place: Memory of the shape and type of `image`; they may overlap.
        image: The values.
    """
    if image.device.type != "cpu":
        place.copy_(image)
        return
    np.copyto(_array(place), _array(image.detach()))


def _array(tensor: torch.Tensor) -> NDArray[Any]:
    """The memory of a tensor; NumPy has no bfloat16."""
    return (tensor.view(torch.int16) if tensor.dtype is torch.bfloat16 else tensor).numpy()


class Slots:
    """One tensor for the images of a batch, with a place for each of them.

    Attributes:
        shapes: The shape of each image.
        whole (Tensor of shape (samples, *largest)): All of them; smaller ones lie where indices
            are low, so that their affines stay true, and what is around them is undefined.
    """

    def __init__(
        self, shapes: Sequence[tuple[int, ...]], dtype: torch.dtype, new: NewTensor
    ) -> None:
        """Take the memory.

        Args:
            shapes: The shape of each image, of the same number of dims.
            dtype: Their type.
            new: Where memory comes from.
        """
        self.shapes = list(shapes)
        largest = [max(extents) for extents in zip(*shapes, strict=True)]
        self.whole = new((len(self.shapes), *largest), dtype)
        self._are_equal = all(shape == tuple(largest) for shape in self.shapes)
        rooms = self.whole.unbind()
        self._places = [
            room if room.shape == shape else room[tuple(map(slice, shape))]
            for room, shape in zip(rooms, self.shapes, strict=True)
        ]

    def place(self, k: int) -> torch.Tensor:
        """The part of the tensor that is for image k."""
        return self._places[k]

    def out(self, k: int) -> torch.Tensor | None:
        """The same where it is in one piece, so that the core can fill it."""
        place = self.place(k)
        return place if place.is_contiguous() else None

    def run(self, first: int, count: int) -> torch.Tensor | None:
        """The places of so many images in one piece, where they are all of one shape."""
        return self.whole[first : first + count] if self._are_equal else None

    def fits(self, k: int, image: torch.Tensor) -> bool:
        """Whether this is the place for the image."""
        return tuple(image.shape) == self.shapes[k] and image.dtype == self.whole.dtype

    def has(self, k: int, image: torch.Tensor) -> bool:
        """Whether the image lies in this place."""
        place = self.place(k)
        if image is place:
            return True
        is_there = image.data_ptr() == place.data_ptr() and image.stride() == place.stride()
        return is_there and self.fits(k, image) and image.device == place.device

    def put(self, k: int, image: torch.Tensor) -> torch.Tensor:
        """The place of image k, with its values; nothing is copied where it lies there already."""
        place = self.place(k)
        if not self.has(k, image):
            copy_into(place, image)
        return place

    def fill(self, k: int, value: float) -> None:
        """Fill the place of image k."""
        _fill(self.place(k), value)

    def fill_around(self, k: int, value: float) -> None:
        """Fill what is around image k."""
        whole, inside = self.whole[k], self.shapes[k]
        for dim, extent in enumerate(inside):
            _fill(whole[(*(slice(n) for n in inside[:dim]), slice(extent, None))], value)


def _fill(place: torch.Tensor, value: float) -> None:
    """By this thread alone, as `copy_into`."""
    if place.device.type == "cpu":
        np.copyto(_array(place), _array(torch.tensor(value, dtype=place.dtype)))
    else:
        place.fill_(value)


class Together(list[Any]):
    """Samples whose images lie in the slots of one tensor.

    Attributes:
        slots: Those slots.
    """

    slots: Slots | None = None


def read_together(dataset: Any, indices: Sequence[int]) -> list[Any]:
    """The samples of a batch for torch's DataLoader, which asks datasets for ``__getitems__``.

    Where the shapes are known and equal, the images decode into the slots of one tensor, and
    `collate` has nothing to copy.

    Args:
        dataset: One with ``read``, ``image_shape`` and ``image_dtype``, maybe ``read_batch``.
        indices: Which samples.
    """
    threads = get_num_threads()
    shapes = [dataset.image_shape(i) for i in indices]
    if not shapes or None in shapes or len(set(shapes)) > 1:
        return [dataset.read(i, out=None, num_threads=threads) for i in indices]
    samples = Together()
    samples.slots = Slots(shapes, dataset.image_dtype, new_tensor)
    if hasattr(dataset, "read_batch"):
        samples += dataset.read_batch(indices, out=samples.slots.whole, num_threads=threads)
        return samples
    for k, i in enumerate(indices):
        samples.append(dataset.read(i, out=samples.slots.out(k), num_threads=threads))
    return samples
