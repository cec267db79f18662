"""Ray Data: the samples of a dataset as rows that tasks read on all machines of a cluster."""

from __future__ import annotations

import itertools
import math
from typing import TYPE_CHECKING, Any, Final

import numpy as np
import torch
from torch.utils.data import Subset

from torchdicom._training._base import SeriesDataset
from torchdicom.interop._extras import needs

with needs("ray"):
    import ray
    import ray.data
    from ray import cloudpickle
    from ray.data.block import BlockAccessor, BlockMetadata
    from ray.data.datasource import Datasource, ReadTask

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    import pyarrow as pa

    Samples = SeriesDataset | Subset[Any]
    Row = dict[str, Any]

# Of the tensors of a block, unless one row has more: Ray joins small blocks, and splits none of one
# row.
_BLOCK_BYTES: Final = 32 << 20
# affine and spacing_mm of a row
_PLACE_BYTES: Final = (16 + 3) * 8
_PLAIN: Final = (str, bytes, bool, int, float, type(None))
# What Ray makes of a column that Arrow has no type for; not all of its readers take it back.
_PICKLED: Final = "ray.data.arrow_pickled_object"


def read_dicom(
    dataset: Samples,
    *,
    override_num_blocks: int | None = None,
    concurrency: int | None = None,
    num_cpus: float | None = None,
) -> ray.data.Dataset:
    """A `ray.data.Dataset` whose rows are the samples of a dataset, in its order.

    The columns are the names in a sample: ``image``, a tensor of shape (channels, slices, rows,
    columns) or (channels, rows, columns), ``affine`` (4, 4) and ``spacing_mm`` (3,) of float64,
    ``series``, and what else there is: ``frame``, ``position``, ``mask``, ``label``, ``target``.
    Values and types are those of ``dataset[i]``, as NumPy arrays. Where images differ in shape,
    they are Ray's tensors of variable shape. Text is no tensor: ``drop_columns(["series"])`` comes
    before ``iter_torch_batches``.

    Nothing is read here. The dataset travels to the tasks as it is now, random patches of its epoch
    with it: for those of another epoch, call `PatchDataset.set_epoch` and this again. The files
    must be found by the same paths on every machine. A file that can't be read fails the run with
    the error of ``dataset[i]``; with ``on_error="quarantine"`` another sample takes the place, and
    ``dataset.failures`` here does not tell, since it is a copy that read.

    Rows keep their order, unless ``ray_dataset.context.execution_options.preserve_order`` is set to
    False, so that none waits for a slow one before it.

    Args:
        dataset: A `VolumeDataset`, `ImageDataset` or `PatchDataset`, or a
            `torch.utils.data.Subset` of one.
        override_num_blocks: How many tasks read, no more than there are samples; None leaves it to
            Ray, which goes by the size of the images and the CPUs there are.
        concurrency: How many tasks read at the same time, None as many as there are CPUs for.
        num_cpus: CPUs of a task, None is Ray's, which is 1. The core decodes with as many threads,
            with one where it is less than 1.

    Returns:
        ray.data.Dataset: One row a sample.

    Raises:
        TypeError: If `dataset` is something else, such as a folder, or does not pickle.
        ValueError: If it is empty, or its images are of a type that Ray can't hold, as bfloat16.
        ModuleNotFoundError: Where this module is imported without Ray.

    Example:
        >>> import torchdicom as td
        >>> from torchdicom.interop.ray import read_dicom
        >>> dataset = td.VolumeDataset("tests/data/sts_002/ct", window=(40, 400), size=(8, 32, 32))
        >>> rows = read_dicom(dataset)  # doctest: +SKIP
        >>> rows.take(1)[0]["image"].shape  # doctest: +SKIP
        (1, 8, 32, 32)
    """
    threads = 1 if num_cpus is None else max(1, int(num_cpus))
    rows = ray.data.read_datasource(
        DicomDatasource(dataset, num_threads=threads),
        override_num_blocks=override_num_blocks,
        concurrency=concurrency,
        num_cpus=num_cpus,
    )
    rows.context.execution_options.preserve_order = True  # of this dataset and what is made of it
    return rows


class DicomDatasource(Datasource):  # type: ignore[misc]
    """What `read_dicom` gives Ray, for `ray.data.read_datasource` with other options of Ray.

    Args:
        dataset: As in `read_dicom`.
        num_threads: Threads of a task, as many as it has CPUs.

    Raises:
        TypeError: As `read_dicom`.
        ValueError: As `read_dicom`.
    """

    def __init__(self, dataset: Samples, *, num_threads: int = 1) -> None:
        """Keep a copy of the dataset where all tasks find it."""
        super().__init__()
        base, self._numbers = _numbered(dataset)
        shapes = [base.image_shape(i) for i in self._numbers]
        if None not in shapes:
            _check_dtype(base.image_dtype)
        self._sizes = [_nbytes(shape, base.image_dtype) for shape in shapes]
        self._num_threads = num_threads
        # Bytes, and no object: Ray would give the tasks arrays that can't be written to.
        self._dataset = ray.put(_pickled(base))

    def estimate_inmemory_data_size(self) -> int | None:
        """Bytes of all rows; None where only reading tells."""
        return self._size_of(0, len(self._numbers))

    def get_read_tasks(
        self,
        parallelism: int,
        per_task_row_limit: int | None = None,
        data_context: object = None,  # noqa: ARG002 - Ray gives it
    ) -> list[ReadTask]:
        """Tasks of neighbouring samples, as many each as the others or one more.

        Args:
            parallelism: How many tasks there are, unless there are fewer samples.
            per_task_row_limit: How many rows of a task are wanted, None all.
            data_context: Ray's settings, which change nothing here.
        """
        count = len(self._numbers)
        tasks = min(max(1, parallelism), count)
        limits = [count * i // tasks for i in range(tasks + 1)]
        return [self._task(lo, hi, per_task_row_limit) for lo, hi in itertools.pairwise(limits)]

    def _task(self, lo: int, hi: int, row_limit: int | None) -> ReadTask:
        kept, numbers, threads = self._dataset, self._numbers[lo:hi], self._num_threads
        metadata = BlockMetadata(
            num_rows=hi - lo, size_bytes=self._size_of(lo, hi), input_files=None, exec_stats=None
        )
        return ReadTask(
            lambda: _blocks(kept, numbers, threads), metadata, per_task_row_limit=row_limit
        )

    def _size_of(self, lo: int, hi: int) -> int | None:
        total = 0
        for size in self._sizes[lo:hi]:
            if size is None:
                return None
            total += size
        return total


def _numbered(dataset: object) -> tuple[SeriesDataset, Sequence[int]]:
    """The dataset below all subsets, and the numbers of the samples."""
    numbers: Sequence[int] | None = None
    while isinstance(dataset, Subset):
        within = [int(i) for i in dataset.indices]
        numbers = within if numbers is None else [within[i] for i in numbers]
        dataset = dataset.dataset
    if not isinstance(dataset, SeriesDataset):
        msg = (
            "read_dicom takes a VolumeDataset, ImageDataset or PatchDataset, or a Subset of one, "
            f"and not {type(dataset).__name__}: of a folder, an Index or Series make one, such as "
            "read_dicom(torchdicom.VolumeDataset(source))"
        )
        raise TypeError(msg)
    numbers = range(len(dataset)) if numbers is None else numbers
    if not numbers:
        msg = "the dataset has no samples"
        raise ValueError(msg)
    return dataset, numbers


def _check_dtype(dtype: torch.dtype) -> None:
    """That NumPy and Arrow have the type of the images."""
    try:
        is_held = torch.empty(0, dtype=dtype).numpy().dtype.kind in "biuf"
    except TypeError:
        is_held = False
    if not is_held:
        msg = (
            f"Ray can't hold images of {dtype}: make the dataset with dtype=torch.float16 or "
            "torch.float32, and convert batches of it"
        )
        raise ValueError(msg)


def _nbytes(shape: tuple[int, ...] | None, dtype: torch.dtype) -> int | None:
    """Bytes of a row, but for its label, whose type only reading tells."""
    return None if shape is None else math.prod(shape) * dtype.itemsize + _PLACE_BYTES


def _pickled(dataset: SeriesDataset) -> bytes:
    try:
        kept: bytes = cloudpickle.dumps(dataset)
    except Exception as error:  # of whatever the transform, label or target is made of
        msg = (
            "the dataset does not pickle, as it must to travel to the tasks of Ray; its transform, "
            f"label or target may hold an open file, a lock or the like: {error}"
        )
        raise TypeError(msg) from error
    return kept


def _blocks(kept: ray.ObjectRef, numbers: Sequence[int], num_threads: int) -> Iterator[pa.Table]:
    """The rows of a task, in a task."""
    dataset: SeriesDataset = cloudpickle.loads(ray.get(kept))
    rows: list[Row] = []
    size = 0
    for i in numbers:
        row = _row(i, dataset.read(i, num_threads=num_threads))
        more = sum(value.nbytes for value in row.values() if isinstance(value, np.ndarray))
        if rows and size + more > _BLOCK_BYTES:
            yield _block(rows)
            rows, size = [], 0
        rows.append(row)
        size += more
    yield _block(rows)


def _row(i: int, sample: dict[Any, Any]) -> Row:
    """A sample with arrays for tensors.

    Raises:
        TypeError: If Ray has no column for a value.
    """
    for name in sample:
        if not isinstance(name, str):
            msg = (
                f"sample {i} has a value by the name of {name!r}: Ray's columns have text for names"
            )
            raise TypeError(msg)
    return {name: _value(f"{name!r} of sample {i}", value) for name, value in sample.items()}


def _value(name: str, value: object) -> Any:
    """An array, or what is no tensor as it is."""
    if isinstance(value, torch.Tensor):
        kind = f"a tensor of {value.dtype}, {value.layout}"
        try:
            # Not as a tensor of torchvision, which may have methods of its own.
            value = value.detach().cpu().as_subclass(torch.Tensor).numpy()
        except (TypeError, RuntimeError):  # bfloat16 or sparse
            raise _unheld(name, kind) from None
    if isinstance(value, np.ndarray | np.generic):
        if value.dtype.kind not in "biuf":
            raise _unheld(name, f"an array of {value.dtype}")
        return np.asarray(value)
    if not isinstance(value, _PLAIN):
        raise _unheld(name, f"of type {type(value).__name__}")
    return value


def _unheld(name: str, what: str) -> TypeError:
    return TypeError(
        f"{name} is {what}, which Ray has no column for: have the transform make it a dense tensor "
        "of bool, an integer type, float16, float32 or float64, a number or text"
    )


def _block(rows: Sequence[Row]) -> pa.Table:
    """Rows as Ray keeps them.

    Raises:
        TypeError: If the values of a column differ in more than the shape.
    """
    names = list(rows[0])
    for row in rows:
        if row.keys() != rows[0].keys():
            msg = f"samples have {names} and {list(row)}: a transform must name the same in all"
            raise TypeError(msg)
    table = BlockAccessor.batch_to_arrow_block(
        {name: _column(name, [row[name] for row in rows]) for name in names}
    )
    for field in table.schema:
        if getattr(field.type, "extension_name", "") == _PICKLED:
            raise _mixed(field.name, [type(row[field.name]).__name__ for row in rows])
    return table


def _column(name: str, values: list[Any]) -> Any:
    """The values of a column: one array, an array of arrays of other shapes, or a list."""
    if not any(isinstance(value, np.ndarray) for value in values):
        return values
    kinds = {getattr(value, "dtype", type(value).__name__) for value in values}
    if len(kinds) > 1 or len({value.ndim for value in values}) > 1:
        raise _mixed(name, [f"{kind}" for kind in kinds])
    if len(values) == 1:
        return values[0][None]
    if len({value.shape for value in values}) == 1:
        return np.stack(values)
    ragged = np.empty(len(values), dtype=object)
    for i, value in enumerate(values):
        ragged[i] = value
    return ragged


def _mixed(name: str, kinds: Sequence[str]) -> TypeError:
    return TypeError(
        f"{name!r} is of other types or dims in other samples ({', '.join(sorted(set(kinds)))}), "
        "or too large a number: a column of Ray has one"
    )
