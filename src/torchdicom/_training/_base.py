"""What the datasets share: the series, samples by number, and what becomes of failures."""

from __future__ import annotations

import operator
from types import MappingProxyType
from typing import TYPE_CHECKING, Any

from torch.utils.data import Dataset, get_worker_info

from torchdicom._errors import DicomError, SeriesError
from torchdicom._training._batch import new_tensor, read_together
from torchdicom._training._quarantine import Failures, naming, quarantined_by, substitutes
from torchdicom._training._samples import transformed
from torchdicom._training._sources import sourced
from torchdicom._training._targets import Targets

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

    import torch

    from torchdicom._series import Series
    from torchdicom._training._quarantine import Quarantined
    from torchdicom._training._recipe import Recipe, Sample


class SeriesDataset(Dataset["Sample"]):
    """Samples of series, by number; a subclass says how many a series has, and reads them."""

    def __init__(self, source: object, recipe: Recipe, target: object) -> None:
        """Find the series, and look up what is known of them.

        Args:
            source: As in `VolumeDataset`.
            recipe: How samples are made.
            target: As in `VolumeDataset`, None for samples without.
        """
        found = sourced(source, recipe)
        self._recipe = recipe
        self._series = found.used
        self._left_out = found.left_out
        self._quarantined = found.quarantined
        self._targets = None if target is None else Targets(target, found.used, found.keys)
        self._failures = Failures()

    @property
    def series(self) -> tuple[Series, ...]:
        """The series that there are samples of."""
        return self._series

    @property
    def left_out(self) -> Mapping[str, int]:
        """How many series of the source are of other kinds, by kind."""
        return MappingProxyType(self._left_out)

    @property
    def quarantined(self) -> tuple[Quarantined, ...]:
        """The series that are not used, since the policy raises a defect: key, code, message."""
        return self._quarantined

    @property
    def failures(self) -> Mapping[int, Quarantined]:
        """The samples that this process could not read, by number, where others took their place.

        Those that a worker of a DataLoader could not read are in the worker's own copy.
        """
        return MappingProxyType(self._failures.to_dict())

    @property
    def image_dtype(self) -> torch.dtype:
        """Type of ``image``."""
        return self._recipe.dtype

    def __len__(self) -> int:
        """How many samples there are."""
        raise NotImplementedError

    def __getitem__(self, index: int) -> Sample:
        """A sample by its number, negative ones from the end.

        Raises:
            IndexError: If there are not so many.
            DicomError: If it can't be read, and ``on_error`` is ``"raise"``.
        """
        shape = None if get_worker_info() is None else self.image_shape(index)
        if shape is None:
            return self.read(index)
        # In a worker of a DataLoader: memory that is shared with the process that trains.
        return self.read(index, out=new_tensor(shape, self.image_dtype))

    def __getitems__(self, indices: Sequence[int]) -> list[Sample]:
        """The samples of a batch, as torch's DataLoader asks for them.

        Where all have one shape, their images decode into one tensor, which `collate` takes as the
        batch.
        """
        return read_together(self, indices)

    def __iter__(self) -> Iterator[Sample]:
        """The samples in their order, one after the other."""
        return map(self.__getitem__, range(len(self)))

    def image_shape(self, index: int) -> tuple[int, ...] | None:
        """The shape of ``image`` of a sample, without reading it.

        Returns:
            None where only reading tells: with a ``transform``, and where the policy drops slices
            that turn out to be defective.
        """
        raise NotImplementedError

    def read(
        self, index: int, *, out: torch.Tensor | None = None, num_threads: int | None = None
    ) -> Sample:
        """A sample, as indexing gives it.

        Args:
            index: Its number.
            out: Contiguous CPU memory of `image_shape` and `image_dtype` to decode into; ``image``
                is then this tensor. Where another sample of another shape takes its place, or
                `image_shape` is None, it is left alone.
            num_threads: Threads for this call; None is `torchdicom.get_num_threads`.

        Returns:
            dict: The sample.

        Raises:
            ValueError: If `out` is no such memory.
        """
        i = self._number(index)
        if out is not None:
            self._check_out(out, self.image_shape(i))
        sample = self._readable(i, out, num_threads)
        transform = self._recipe.transform
        # Not under quarantine: what fails here is no file.
        return sample if transform is None else transformed(transform, sample)

    @property
    def samples_at_once(self) -> int:
        """How many samples to give `read_batch` at a time; 1 where it reads one after the other."""
        return 1

    def read_batch(
        self, indices: Sequence[int], *, out: torch.Tensor, num_threads: int | None = None
    ) -> list[Sample]:
        """Several samples whose images have one shape, as `read` gives each.

        Args:
            indices: Their numbers.
            out (Tensor of shape (samples, *image_shape)): Contiguous CPU memory for their images.
            num_threads: Threads for this call; None is `torchdicom.get_num_threads`.

        Returns:
            list of dict: The samples.

        Raises:
            ValueError: If `out` is no such memory.
        """
        self._check_places(indices, out)
        return [
            self.read(i, out=place, num_threads=num_threads)
            for i, place in zip(indices, out.unbind(), strict=True)
        ]

    def _readable(self, i: int, out: torch.Tensor | None, num_threads: int | None) -> Sample:
        """Sample i, or what takes its place."""
        if self._recipe.on_error == "raise":
            try:
                return self._placed(i, out, num_threads)
            except (DicomError, OSError) as error:
                raise naming(self._series_of(i).key, error) from error
        sample = self._tried(i, out, num_threads)
        return sample if sample is not None else self._substitute(i, out, num_threads)

    def _number(self, index: int) -> int:
        """The number of a sample from 0 on."""
        i, count = operator.index(index), len(self)
        if -count <= i < count:
            return i % count
        msg = f"there is no sample {i}: the dataset has {count}"
        raise IndexError(msg)

    def _check_out(self, out: torch.Tensor, shape: tuple[int, ...] | None) -> None:
        """That an image can be put there, where its shape is known."""
        if shape is None:
            return
        if tuple(out.shape) != shape or out.dtype != self.image_dtype:
            msg = (
                f"out is {out.dtype} of shape {tuple(out.shape)}, and the image {self.image_dtype} "
                f"of shape {shape}"
            )
            raise ValueError(msg)
        if out.device.type != "cpu" or not out.is_contiguous():
            msg = "out must be contiguous memory of the CPU"
            raise ValueError(msg)

    def _check_places(self, indices: Sequence[int], out: torch.Tensor) -> None:
        """That there is a place for each image; `read` looks at the places."""
        if out.ndim == 0 or len(out) != len(indices):
            msg = f"out has shape {tuple(out.shape)}, and there are {len(indices)} samples"
            raise ValueError(msg)

    def _substitute(self, i: int, out: torch.Tensor | None, num_threads: int | None) -> Sample:
        for j in substitutes(self._recipe.seed, i, len(self)):
            if (sample := self._tried(j, out, num_threads)) is not None:
                return sample
        why = self._failures.to_dict()[i]
        msg = (
            f"Sample {i} can't be read, nor can any that may take its place; "
            f"of series {why.key}: {why.message}"
        )
        raise SeriesError(msg, code=why.code or None)

    def _tried(self, i: int, out: torch.Tensor | None, num_threads: int | None) -> Sample | None:
        """Sample i; None where it can't be read, which is then known."""
        epoch = self._drawn_in()
        if self._failures.has(i, epoch):
            return None
        try:
            return self._placed(i, out, num_threads)
        except (DicomError, OSError) as error:
            self._failures.add(i, quarantined_by(self._series_of(i).key, error), epoch)
            return None

    def _drawn_in(self) -> int:
        """The epoch, where samples of one number differ from epoch to epoch."""
        return 0

    def _placed(self, i: int, out: torch.Tensor | None, num_threads: int | None) -> Sample:
        """Sample i with its target, its image in `out` where that is of its shape."""
        # One that takes the place of another may be of another shape.
        if out is not None and self.image_shape(i) != tuple(out.shape):
            out = None
        sample = self._sample(i, out, num_threads)
        if out is not None:
            image = sample["image"]
            if image.data_ptr() != out.data_ptr():
                out.copy_(image)
            sample["image"] = out
        return self._targeted(i, sample)

    def _targeted(self, i: int, sample: Sample) -> Sample:
        """The sample with its target, where there are any."""
        if self._targets is not None:
            sample["target"] = self._targets.of(self._series_of(i))
        return sample

    def _sample(self, i: int, out: torch.Tensor | None, num_threads: int | None) -> Sample:
        """Sample i, but for its target, in `out` where that is given."""
        raise NotImplementedError

    def _series_of(self, i: int) -> Series:
        """The series that sample i is of."""
        raise NotImplementedError

    def __repr__(self) -> str:
        """How many samples of how many series, and how many are not used."""
        count = len(self)
        parts = [f"{count} sample{'s' * (count != 1)}", f"{len(self._series)} series"]
        if self._left_out:
            parts.append(f"{sum(self._left_out.values())} left out")
        if self._quarantined:
            parts.append(f"{len(self._quarantined)} in quarantine")
        return f"{type(self).__name__}({', '.join(parts)})"


def check_means(recipe: Recipe, key: str, channels: int) -> None:
    """That `mean` and `std` fit a series.

    Raises:
        ValueError: If they are for another number of channels.
    """
    given: Any = () if recipe.finish is None else recipe.finish.mean
    if len(given) > 1 and len(given) != channels:
        msg = (
            f"mean and std have {len(given)} values, and images of series {key} have "
            f"{channels} channel{'s' * (channels > 1)}"
        )
        raise ValueError(msg)
