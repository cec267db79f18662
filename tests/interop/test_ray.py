"""Samples as rows of Ray Data, read by real tasks of Ray."""

from __future__ import annotations

import doctest
import threading
import warnings
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import pytest
import ray
import torch
from torch.utils.data import Subset

import torchdicom as td
import torchdicom.interop.ray as bridge
from landmarks import INDEX, LPS_MM, SHAPE, VALUE, brightest, place, write_landmark
from torchdicom.interop.ray import DicomDatasource, read_dicom
from training import Times, write_volume, write_volumes

if TYPE_CHECKING:
    from collections.abc import Iterator

# Ray's own, of what it starts and of what it asks pandas and torch for.
pytestmark = [
    pytest.mark.usefixtures("cluster"),
    pytest.mark.filterwarnings("ignore::ResourceWarning"),
    pytest.mark.filterwarnings("ignore::FutureWarning:ray"),
    pytest.mark.filterwarnings("ignore::DeprecationWarning:ray"),
]


@pytest.fixture(scope="module")
def cluster() -> Iterator[None]:
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        tests = str(Path(__file__).parent.parent)
        ray.init(
            num_cpus=2,
            include_dashboard=False,
            log_to_driver=False,
            runtime_env={"env_vars": {"PYTHONPATH": tests}},
        )
        ray.data.DataContext.get_current().enable_progress_bars = False
        yield
        ray.shutdown()


def assert_equal(row: dict[str, Any], sample: dict[str, Any]) -> None:
    assert row.keys() == sample.keys()
    for name, value in sample.items():
        if isinstance(value, torch.Tensor):
            expected = value.numpy()
            assert np.asarray(row[name]).dtype == expected.dtype or expected.ndim == 0
            assert np.array_equal(row[name], expected, equal_nan=expected.dtype.kind == "f"), name
        else:
            assert row[name] == value


class Gives:
    """A transform that puts a value into the samples."""

    def __init__(self, value: Any) -> None:
        self.value = value

    def __call__(self, sample: dict[str, Any]) -> Any:
        return {**sample, "extra": self.value}


class GivesSparse:
    """A transform that makes its value itself.

    A process that unpickles a sparse tensor would have torch warn at its next load of anything.
    """

    def __call__(self, sample: dict[str, Any]) -> Any:
        return {**sample, "extra": torch.ones(2).to_sparse()}


class GivesByKey:
    """A transform that puts another value into each of several samples."""

    def __init__(self, *values: Any) -> None:
        self.values = values

    def __call__(self, sample: dict[str, Any]) -> Any:
        return {**sample, "extra": self.values[int(sample["series"][-1]) - 1]}


def as_label(series: td.Series) -> torch.Tensor:
    return torch.full(series.shape, 7, dtype=torch.uint8)


def test_landmark(tmp_path: Path) -> None:
    dataset = td.VolumeDataset(write_landmark(tmp_path))
    (row,) = read_dicom(dataset).take_all()
    index = brightest(row["image"])
    assert row["image"].shape == (1, *SHAPE)
    assert row["image"].dtype == np.float32
    assert index == (0, *INDEX)
    assert row["image"][index] == VALUE
    assert row["affine"].dtype == np.float64
    assert place(row["affine"], index[1:]) == LPS_MM
    assert row["spacing_mm"].tolist() == pytest.approx([2.0, 0.5, 0.25])
    assert row["series"] == dataset.series[0].key


def test_rows_are_the_samples_in_order_over_several_tasks(tmp_path: Path) -> None:
    source = td.scan(write_volumes(tmp_path, 7))
    dataset = td.VolumeDataset(
        source, target=lambda one: int(one.key[-1]), label=as_label, mask=True, dtype=torch.int16
    )
    rows = read_dicom(dataset, override_num_blocks=3, concurrency=2)
    assert rows.count() == 7
    assert rows.materialize().num_blocks() == 3
    found = rows.take_all()
    assert [row["image"].flat[0] for row in found] == [0, 1000, 2000, 3000, 4000, 5000, 6000]
    assert [row["target"] for row in found] == [1, 2, 3, 4, 5, 6, 7]
    for row, sample in zip(found, dataset, strict=True):
        assert_equal(row, sample)
    dtypes = {name: found[0][name].dtype for name in ("image", "label", "mask")}
    assert dtypes == {"image": np.int16, "label": np.uint8, "mask": np.bool_}


def test_batches_for_torch_and_numpy(tmp_path: Path) -> None:
    dataset = td.VolumeDataset(write_volumes(tmp_path, 4), dtype=torch.float16)
    rows = read_dicom(dataset, override_num_blocks=2)
    doubled = rows.map_batches(lambda batch: {"image": batch["image"] * 2}, batch_size=2)
    assert [row["image"].flat[0] for row in doubled.take_all()] == [0, 2000, 4000, 6000]
    batches = list(rows.drop_columns(["series"]).iter_torch_batches(batch_size=4))
    expected = torch.stack([sample["image"] for sample in dataset])
    assert len(batches) == 1
    assert batches[0]["image"].dtype == torch.float16
    assert torch.equal(batches[0]["image"], expected)


@pytest.mark.parametrize("blocks", [1, 3])
def test_images_of_other_shapes(tmp_path: Path, blocks: int) -> None:
    for i, depth in enumerate((2, 5, 3)):
        cells = np.full((depth, 3, 4 + i), depth, np.int16)
        write_volume(tmp_path / str(i), cells, SeriesInstanceUID=f"1.2.3.{i + 1}")
    dataset = td.VolumeDataset(tmp_path, mask=True)
    found = read_dicom(dataset, override_num_blocks=blocks).take_all()
    assert [row["image"].shape for row in found] == [(1, 2, 3, 4), (1, 5, 3, 5), (1, 3, 3, 6)]
    for row, sample in zip(found, dataset, strict=True):
        assert_equal(row, sample)


def test_frames(tmp_path: Path) -> None:
    dataset = td.ImageDataset(write_volumes(tmp_path, 2), kinds=("volume",), output="modality")
    found = read_dicom(dataset, override_num_blocks=3).take_all()
    assert [row["frame"] for row in found] == [0, 1, 2, 3, 0, 1, 2, 3]
    assert [row["image"].flat[0] for row in found] == [0, 100, 200, 300, 1000, 1100, 1200, 1300]
    for row, sample in zip(found, dataset, strict=True):
        assert_equal(row, sample)


@pytest.mark.parametrize("buffer", [None, 2])
def test_patches_are_those_of_the_epoch_it_was_made_in(tmp_path: Path, buffer: int | None) -> None:
    dataset = td.PatchDataset(
        write_volumes(tmp_path, 3), (2, 2, 2), patches_per_volume=3, buffer=buffer
    )
    dataset.set_epoch(2)
    rows = read_dicom(dataset, override_num_blocks=2)
    expected = list(dataset)
    dataset.set_epoch(3)
    found = rows.take_all()
    assert len(found) == 9
    for row, sample in zip(found, expected, strict=True):
        assert_equal(row, sample)


def test_subsets_of_subsets(tmp_path: Path) -> None:
    dataset = td.VolumeDataset(write_volumes(tmp_path, 5))
    part = Subset(Subset(dataset, [4, 2, 0, 3]), [3, 0, 1])
    found = read_dicom(part, override_num_blocks=2).take_all()
    assert [row["series"] for row in found] == ["1.2.3.4", "1.2.3.5", "1.2.3.3"]


def test_a_transform_changes_what_ray_gets(tmp_path: Path) -> None:
    dataset = td.VolumeDataset(write_volumes(tmp_path, 2), transform=Times(0.5))
    assert DicomDatasource(dataset).estimate_inmemory_data_size() is None
    found = read_dicom(dataset, override_num_blocks=1).take_all()
    assert [row["image"].flat[0] for row in found] == [0, 500]


def test_size_is_known_before_reading(tmp_path: Path) -> None:
    source = DicomDatasource(td.VolumeDataset(write_volumes(tmp_path, 5)))
    # 4 x 3 x 4 of float32, and 19 of float64 for the place
    assert source.estimate_inmemory_data_size() == 5 * (4 * 3 * 4 * 4 + 19 * 8)
    tasks = source.get_read_tasks(3)
    assert [task.metadata.num_rows for task in tasks] == [1, 2, 2]
    assert sum(task.metadata.size_bytes for task in tasks) == source.estimate_inmemory_data_size()
    assert len(source.get_read_tasks(100)) == 5


def test_the_core_reads_with_the_threads_of_the_task(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    used = []
    read = td.VolumeDataset.read

    def watched(dataset: td.VolumeDataset, index: int, **options: Any) -> Any:
        used.append(options)
        return read(dataset, index, **options)

    monkeypatch.setattr(td.VolumeDataset, "read", watched)
    dataset = td.VolumeDataset(write_landmark(tmp_path))
    for source in (DicomDatasource(dataset), DicomDatasource(dataset, num_threads=2)):
        (task,) = source.get_read_tasks(1)
        assert [block.num_rows for block in task()] == [1]
    assert used == [{"num_threads": 1}, {"num_threads": 2}]


@pytest.mark.parametrize(("num_cpus", "threads"), [(None, 1), (0.5, 1), (2, 2)])
def test_a_task_has_as_many_threads_as_cpus(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, num_cpus: float | None, threads: int
) -> None:
    asked: dict[str, Any] = {}

    def read(source: DicomDatasource, **options: Any) -> Any:
        asked.update(options, threads=source._num_threads)
        return ray.data.range(1)

    monkeypatch.setattr(ray.data, "read_datasource", read)
    read_dicom(td.VolumeDataset(write_landmark(tmp_path)), num_cpus=num_cpus)
    assert (asked["num_cpus"], asked["threads"]) == (num_cpus, threads)


def test_blocks_end_where_they_are_large(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(bridge, "_BLOCK_BYTES", 2 * (4 * 3 * 4 * 4 + 19 * 8))
    (task,) = DicomDatasource(td.VolumeDataset(write_volumes(tmp_path, 5))).get_read_tasks(1)
    assert [block.num_rows for block in task()] == [2, 2, 1]
    (task,) = DicomDatasource(td.VolumeDataset(tmp_path)).get_read_tasks(1, 3)
    assert sum(block.num_rows for block in task()) == 3


def test_a_file_that_breaks_is_named(tmp_path: Path) -> None:
    dataset = td.VolumeDataset(write_volumes(tmp_path, 3))
    broken = next((tmp_path / "1").iterdir())
    broken.write_bytes(broken.read_bytes()[:-5])
    # Ray adds where it was raised, and what it thinks of trying again.
    with pytest.raises(td.ParseError, match=r"Series 1\.2\.3\.2 can't be read") as told:
        read_dicom(dataset, override_num_blocks=3).take_all()
    assert "has changed since" in str(told.value)
    assert f"[file_changed] - at {broken}" in str(told.value)


def test_quarantine_puts_another_sample_there(tmp_path: Path) -> None:
    dataset = td.VolumeDataset(write_volumes(tmp_path, 3), on_error="quarantine")
    broken = next((tmp_path / "1").iterdir())
    broken.write_bytes(broken.read_bytes()[:-5])
    found = read_dicom(dataset, override_num_blocks=3).take_all()
    with pytest.warns(td.DicomWarning, match=r"1\.2\.3\.2 can't be read"):
        expected = [sample["series"] for sample in dataset]
    assert [row["series"] for row in found] == expected
    assert "1.2.3.2" not in {row["series"] for row in found}


def test_other_sources_are_refused(tmp_path: Path) -> None:
    index = td.scan(write_landmark(tmp_path))
    for source in (tmp_path, str(tmp_path), index, index[0], [index[0]]):
        said = f"not {type(source).__name__}: .*read_dicom.torchdicom.VolumeDataset.source"
        with pytest.raises(TypeError, match=said):
            read_dicom(source)  # type: ignore[arg-type]
    with pytest.raises(ValueError, match="no samples"):
        read_dicom(Subset(td.VolumeDataset(index), []))


def test_bfloat16_is_refused_with_what_to_do(tmp_path: Path) -> None:
    source = td.scan(write_landmark(tmp_path))
    with pytest.raises(ValueError, match=r"images of torch.bfloat16: .*dtype=torch\.float16"):
        read_dicom(td.VolumeDataset(source, dtype=torch.bfloat16))
    # A transform may make another type of it, or does not.
    dataset = td.VolumeDataset(source, dtype=torch.bfloat16, transform=Gives(1))
    with pytest.raises(TypeError, match=r"'image' of sample 0 is a tensor of torch\.bfloat16"):
        read_dicom(dataset).take_all()


@pytest.mark.parametrize(
    ("transform", "said"),
    [
        (Gives([1, 2]), "'extra' of sample 0 is of type list"),
        (Gives({"a": 1}), "'extra' of sample 0 is of type dict"),
        (GivesSparse(), "'extra' of sample 0 is a tensor of torch.float32, torch.spar"),
        (Gives(torch.ones(2, dtype=torch.cfloat)), "'extra' of sample 0 is an array of complex64"),
        (Gives(np.array(["a"])), "'extra' of sample 0 is an array of <U1"),
        (Gives(2**70), "'extra' is of other types .*too large a number"),
    ],
)
def test_what_ray_has_no_column_for(tmp_path: Path, transform: Any, said: str) -> None:
    dataset = td.VolumeDataset(write_landmark(tmp_path), transform=transform)
    (task,) = DicomDatasource(dataset).get_read_tasks(1)
    with pytest.raises(TypeError, match=said):
        list(task())


@pytest.mark.parametrize(
    "values",
    [
        (1, "text"),
        (torch.ones(2), 1),
        (torch.ones(2), torch.ones(2, dtype=torch.int8)),
        (torch.ones(2), torch.ones(2, 2)),
    ],
)
def test_a_column_has_one_type(tmp_path: Path, values: tuple[Any, Any]) -> None:
    dataset = td.VolumeDataset(write_volumes(tmp_path, 2), transform=GivesByKey(*values))
    (task,) = DicomDatasource(dataset).get_read_tasks(1)
    with pytest.raises(TypeError, match="'extra' is of other types or dims in other samples"):
        list(task())


def test_names_of_values_are_text(tmp_path: Path) -> None:
    dataset = td.VolumeDataset(write_landmark(tmp_path), transform=lambda one: {**one, 3: 1})
    (task,) = DicomDatasource(dataset).get_read_tasks(1)
    with pytest.raises(TypeError, match="sample 0 has a value by the name of 3"):
        list(task())


def test_what_does_not_pickle_is_told_now(tmp_path: Path) -> None:
    dataset = td.VolumeDataset(write_landmark(tmp_path), transform=Gives(threading.Lock()))
    with pytest.raises(TypeError, match=r"does not pickle.*transform.*lock"):
        read_dicom(dataset)


def test_example(monkeypatch: pytest.MonkeyPatch) -> None:
    """Skipped where modules are tested, since Ray takes seconds to start."""
    monkeypatch.chdir(Path(__file__).parent.parent.parent)
    (found,) = doctest.DocTestFinder().find(read_dicom, globs={})
    for example in found.examples:
        example.options.clear()
    assert doctest.DocTestRunner().run(found).failed == 0
