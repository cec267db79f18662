"""An index: finding series in it, moving it, sharing it, and loading from it."""

from __future__ import annotations

import copy
import gc
import math
import os
import pickle
import shutil
from typing import TYPE_CHECKING, Any

import numpy as np
import pytest
import torch
import torch.utils.data

import torchdicom as td
from builders import DEFLATED, RLE, Element, ct_slice, write_series
from builders_frames import encapsulated, rle_frame
from builders_parts import CORONAL, write_more
from compare import assert_same_bits, assert_volumes_equal
from helpers import expect_error
from scanning import CT, SCOUT, in_child, listed, rows, write_tree
from torchdicom import _ext

if TYPE_CHECKING:
    from pathlib import Path


@pytest.fixture
def tree(tmp_path: Path) -> Path:
    return write_tree(tmp_path / "tree")


def saved(index: td.Index, path: Path) -> td.Index:
    index.save(path)
    return td.open_index(path)


def test_is_a_sequence(tree: Path) -> None:
    index = td.scan(tree)
    assert (len(index), len(index.series)) == (5, 5)
    assert [index[i].key for i in range(5)] == [one.key for one in index.series]
    assert index[-1] is index[4] is index.series[-1] is index["1.2.3.7"]
    assert index[1:3] == (index[1], index[2]) == index.series[1:3]
    assert index.series[4] in index
    keys: tuple[object, ...] = (CT, "1.2.3.99", 3)
    assert [key in index for key in keys] == [True, False, False]
    assert str(index.series[:1]) == f"({index[0]!r},)"
    for number in (5, -6):
        with pytest.raises(IndexError):
            index[number]
        with pytest.raises(IndexError):
            index.series[number]


def test_key_that_is_not_there(tree: Path) -> None:
    with pytest.raises(KeyError, match=r"there is no series 1\.2\.3\.99"):
        td.scan(tree)["1.2.3.99"]
    # The start of another key is none.
    with pytest.raises(KeyError, match=r"there is no series 1\.2\.3'"):
        td.scan(tree)["1.2.3"]


def test_uid_of_several_series_lists_their_keys(tree: Path) -> None:
    with pytest.raises(KeyError) as caught:
        td.scan(tree)["1.2.3.4"]
    assert CT in str(caught.value)
    assert SCOUT in str(caught.value)


def test_keys_are_those_of_load(tree: Path) -> None:
    for series in td.scan(tree):
        volume = td.load(tree, series=series.key)
        assert volume.provenance[0].path == series.paths[0]
        assert volume.verdict == series.verdict


def test_what_people_print(tree: Path) -> None:
    index = td.scan(tree)
    assert repr(index) == "Index(5 series, 14 frames, 0 skipped)"
    assert repr(index["1.2.3.5"]) == (
        "Series(volume, MR, shape=(3, 3, 4), spacing_mm=(5, 0.5, 0.25), verdict=ok, key='1.2.3.5')"
    )
    assert repr(index["1.2.3.7"]) == (
        "Series(cine, US, shape=(5, 1, 3, 4), spacing_mm=(nan, 0.5, 0.25), verdict=ok, "
        "key='1.2.3.7')"
    )


def test_provenance_and_metadata(tree: Path) -> None:
    index = td.scan(tree)
    assert index["1.2.3.5"].provenance == tuple(
        td.SliceProvenance(
            path=str(tree / "deep" / "mr" / f"000{i}.dcm"),
            frame=0,
            sop_instance_uid=f"9.{i + 1}",
            position_mm=(-10, -20, 30 + 5 * i),
            slope=1,
            intercept=-1024,
        )
        for i in range(3)
    )
    cine = index["1.2.3.7"]
    assert [one.frame for one in cine.provenance] == [0, 1, 2, 3, 4]
    assert all(math.isnan(x) for one in cine.provenance for x in one.position_mm)
    assert cine.metadata["spacing_source"] == "PixelSpacing"
    assert "spacing_source" not in index["1.2.3.5"].metadata
    assert index["1.2.3.6"].transfer_syntaxes == ("1.2.840.10008.1.2.1",)


def test_is_immutable(tree: Path) -> None:
    series: Any = td.scan(tree)[0]
    for name in ("key", "kind", "shape", "affine", "spacing_mm", "modality"):
        with pytest.raises(AttributeError):
            setattr(series, name, None)
    with pytest.raises(TypeError):
        series.metadata["Modality"] = "CT"


def test_verdict_is_that_of_the_scan(tmp_path: Path) -> None:
    paths = write_series(tmp_path / "a", 6)
    paths[2].unlink()
    shutil.copy(paths[0], tmp_path / "a" / "copy.dcm")
    index = saved(td.scan(tmp_path / "a"), tmp_path / "i.parquet")
    shutil.move(tmp_path / "a", tmp_path / "b")
    series = td.open_index(tmp_path / "i.parquet", root=tmp_path / "b")[0]
    assert (series.shape, series.verdict.ok, index[0].verdict.ok) == ((5, 3, 4), False, False)
    copies, missing = series.verdict.defects
    assert (copies.code, copies.files) == ("duplicate_files", (str(tmp_path / "b" / "copy.dcm"),))
    assert dict(copies.measured) == {"copies": 1}
    assert (missing.code, missing.slices) == ("missing_slices", (1,))
    assert dict(missing.measured) == {"missing": 1, "step_mm": 2.5}
    assert series.paths[-1] == str(tmp_path / "b" / "copy.dcm")
    with expect_error("missing_slices"):
        series.load()
    volume = series.load(policy=td.Policy(missing_slices="allow"))
    assert volume.verdict.defects == series.verdict.defects
    with expect_error("duplicate_files"):
        series.load(policy=td.Policy(missing_slices="allow", duplicate_files="raise"))


def test_policy_knows_of_siblings(tmp_path: Path) -> None:
    write_tree(tmp_path)
    index = td.scan(tmp_path)
    for series in (index[CT], index.filter(key=CT)[0], pickle.loads(pickle.dumps(index[CT]))):
        assert series.load().verdict == series.verdict
        with expect_error("localizer"):
            series.load(policy=td.Policy(localizer="raise"))


def test_parts_of_a_uid(tmp_path: Path) -> None:
    write_series(tmp_path, 3)
    coronal = [(0, y, 0) for y in range(4)]
    write_more(tmp_path, 3, 4, ImageOrientationPatient=CORONAL, ImagePositionPatient=coronal)
    index = td.scan(tmp_path)
    assert sorted(one.shape[0] for one in index) == [3, 4]
    for series in index:
        assert_volumes_equal(series.load(), td.load(tmp_path, series=series.key))
        with expect_error("mixed_orientation"):
            series.load(policy=td.Policy(mixed_orientation="raise"))


# Each option of `Series.load`, with what must differ from a load without it.
LOAD_OPTIONS: dict[str, tuple[object, Any]] = {
    "output": ("stored", lambda v: v.data.flatten()[0].item()),
    "dtype": (torch.float64, lambda v: v.data.dtype),
    "policy": (td.Policy(uneven_spacing="warn"), lambda v: v.verdict.ok),
    "slices": ([1], lambda v: v.data.shape),
    "region": ((0, 1, 0, 2), lambda v: v.data.shape),
    "mask": (True, lambda v: v.valid_mask is None),
    "num_threads": (2, lambda _: _ext.last_load_stats()["threads"]),
}


@pytest.mark.parametrize("name", LOAD_OPTIONS)
def test_every_option_of_a_load(tmp_path: Path, name: str) -> None:
    write_series(tmp_path, 4, ImagePositionPatient=[(0, 0, z) for z in (0, 2, 4, 7.5)])
    series = td.scan(tmp_path)[0]
    value, seen = LOAD_OPTIONS[name]
    lenient = td.Policy(uneven_spacing="allow")
    defaults: dict[str, Any] = {"policy": lenient, "num_threads": 1}
    chosen = {**defaults, name: value}
    if name == "policy":
        with pytest.warns(td.DicomWarning, match="not evenly spaced"):
            series.load(**chosen)
        return
    plain, other = (seen(series.load(**options)) for options in (defaults, chosen))
    assert plain != other
    assert_volumes_equal(series.load(**chosen), td.load(tmp_path, **chosen))


def test_animals_on_four_legs_are_warned_about(tmp_path: Path) -> None:
    write_series(tmp_path, 3, extra=[[Element(0x00102210, "CS", "QUADRUPED ")]] * 3)
    series = td.scan(tmp_path)[0]
    assert series.metadata["AnatomicalOrientationType"] == "QUADRUPED"
    with pytest.warns(td.DicomWarning, match="QUADRUPED"):
        series.load()
    with pytest.warns(td.DicomWarning, match="QUADRUPED"):
        td.load(tmp_path)


def test_out_is_filled(tree: Path) -> None:
    series = td.scan(tree)["1.2.3.5"]
    out = torch.zeros(series.shape)
    assert series.load(out=out).data is out
    assert_same_bits(out, td.load(tree / "deep").data)


def test_filter(tree: Path) -> None:
    index = td.scan(tree)
    assert [one.key for one in index.filter(modality="CT")] == sorted([CT, SCOUT])
    assert len(index.filter(kind="volume", modality=["CT", "MR"])) == 2
    assert len(index.filter(kind={"image", "cine"})) == 2
    assert len(index.filter(ok=False)) == 0
    assert index.filter(ok=True) is index
    assert len(index.filter(Modality="MR")) == 1
    assert len(index.filter(series_instance_uid="1.2.3.4")) == 2
    assert len(index.filter(lambda series: series.shape[0] > 3)) == 2
    assert len(index.filter(lambda series: series.shape[0] > 3, kind="cine")) == 1
    wrong: Any = "CT"
    with pytest.raises(TypeError, match="predicate must be callable"):
        index.filter(wrong)
    with pytest.raises(ValueError, match="no series has 'modalities': filter by"):
        index.filter(modalities="CT")


def test_filtered_index_is_one_of_its_own(tree: Path, tmp_path: Path) -> None:
    (tree / "lost.dcm").write_bytes(b"")
    index = td.scan(tree)
    part = index.filter(key=CT)
    again = saved(part, tmp_path / "part.parquet")
    for one in (part, again, pickle.loads(pickle.dumps(part))):
        assert listed(one) == {CT: ("volume", "CT", (4, 3, 4), True)}
        assert one[CT].verdict == index[CT].verdict
        assert one.skipped == index.skipped != []
        assert_volumes_equal(one[CT].load(), index[CT].load())
        with pytest.raises(ValueError, match="refresh the whole one"):
            one.refresh()
    # A scan goes on from it all the same.
    assert rows(td.scan(tree, index=tmp_path / "part.parquet")) == rows(index)


def test_saved_and_opened_is_the_same(tree: Path, tmp_path: Path) -> None:
    (tree / "lost.dcm").write_bytes(b"")
    index = td.scan(tree, include_metadata=["SeriesDescription"])
    again = saved(index, tmp_path / "i.parquet")
    assert rows(again) == rows(index)
    assert again.to_arrow().schema.equals(index.to_arrow().schema)
    assert again.skipped == index.skipped
    for one, other in zip(index, again, strict=True):
        assert repr(one) == repr(other)
        assert one.verdict == other.verdict
        assert dict(one.metadata) == dict(other.metadata)
        assert_volumes_equal(one.load(), other.load())


def test_relocated(tree: Path, tmp_path: Path) -> None:
    write_series(tmp_path / "tree2", 3, SeriesInstanceUID="2.2")
    file = tmp_path / "i.parquet"
    td.scan([tree, tmp_path / "tree2"]).save(file)
    (tmp_path / "moved").mkdir()
    for name in ("tree", "tree2"):
        shutil.move(tmp_path / name, tmp_path / "moved" / name)
    with pytest.raises(FileNotFoundError):
        td.open_index(file)["2.2"].load()
    index = td.open_index(file, root=tmp_path / "moved")
    assert index["2.2"].load().provenance[0].path == str(tmp_path / "moved/tree2/0000.dcm")
    assert index["1.2.3.5"].load().data.shape == (3, 3, 4)
    assert rows(index.refresh()) == rows(index)
    for one in (pickle.loads(pickle.dumps(index)), saved(index, tmp_path / "j.parquet")):
        assert one["2.2"].paths == index["2.2"].paths


def test_relative_root(tree: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    td.scan(tree).save(tmp_path / "i.parquet")
    monkeypatch.chdir(tmp_path)
    index = td.open_index("i.parquet", root="tree")
    assert index["1.2.3.6"].paths == (str(tree / "chest"),)


def test_pickles_as_its_file(tree: Path, tmp_path: Path) -> None:
    index = td.scan(tree)
    whole = pickle.dumps(index)
    opened = saved(index, tmp_path / "i.parquet")
    for one in (index, opened):  # the one that was saved, and the one that was opened
        short = pickle.dumps(one)
        assert len(short) < 600 < len(whole)
        assert rows(pickle.loads(short)) == rows(index)
    assert len(pickle.dumps(opened[0])) < 700
    assert repr(pickle.loads(pickle.dumps(opened[0]))) == repr(index[0])


@pytest.mark.parametrize("change", ["replaced", "gone"])
def test_pickles_whole_where_its_file_is_another(tree: Path, tmp_path: Path, change: str) -> None:
    file = tmp_path / "i.parquet"
    index = saved(td.scan(tree), file)
    short = pickle.dumps(index)
    if change == "replaced":
        td.scan(tree / "ct").save(file)
        with pytest.raises(td.ParseError, match="Another index was saved") as caught:
            pickle.loads(short)
        assert (caught.value.code, caught.value.path) == ("index_changed", str(file))
    else:
        file.unlink()
        with pytest.raises(FileNotFoundError):
            pickle.loads(short)
    again = pickle.loads(pickle.dumps(index))
    assert rows(again) == rows(index)
    assert_volumes_equal(again[CT].load(), index[CT].load())


def test_pickled_series_is_small(tmp_path: Path) -> None:
    for k in range(30):
        uids = [f"3.{k}.{i}" for i in range(3)]
        write_series(tmp_path / str(k), 3, SeriesInstanceUID=f"2.{k}", SOPInstanceUID=uids)
    index = td.scan(tmp_path)
    one, whole = pickle.dumps(index[7]), pickle.dumps(index)
    assert len(one) < len(whole)
    series = pickle.loads(one)
    assert repr(series) == repr(index[7])
    assert_volumes_equal(series.load(), index[7].load())
    assert repr(copy.deepcopy(series)) == repr(series)


class SeriesDataset(torch.utils.data.Dataset[td.Volume]):
    """Loads a series of an index an item."""

    def __init__(self, index: td.Index) -> None:
        self.index = index

    def __len__(self) -> int:
        return len(self.index)

    def __getitem__(self, number: int) -> td.Volume:
        return self.index[number].load()


def only(batch: list[td.Volume]) -> td.Volume:
    return batch[0]


@pytest.mark.parametrize("method", ["fork", "spawn"])
@pytest.mark.parametrize("is_saved", [False, True])
def test_in_the_workers_of_a_data_loader(tree: Path, method: str, *, is_saved: bool) -> None:
    index = td.scan(tree)
    if is_saved:
        index.save(tree / "i.parquet")
    loader = torch.utils.data.DataLoader(
        SeriesDataset(index), num_workers=1, collate_fn=only, multiprocessing_context=method
    )
    for volume, series in zip(loader, index, strict=True):
        assert_same_bits(volume.data, series.load().data)
        assert volume.provenance[0].path == series.paths[0]


PIXELS_ALONE = """
folder, index = sys.argv[1:]
series = td.open_index(index)[0]
series.load()
read = bytes_read(lambda: series.load(num_threads=2))
stats = _ext.last_load_stats()
part = bytes_read(lambda: series.load(slices=[2], region=(10, 30, 0, 50), num_threads=2))
print(json.dumps([read, stats, part]))
"""


def test_a_load_reads_pixels_alone(tmp_path: Path) -> None:
    cells = np.random.default_rng(1).integers(0, 1000, (7, 60, 50), np.int16)
    write_series(tmp_path / "a", 7, pixels=list(cells))
    td.scan(tmp_path / "a").save(tmp_path / "i.parquet")
    read, stats, part = in_child(PIXELS_ALONE, tmp_path / "a", tmp_path / "i.parquet")
    assert read == cells.nbytes
    assert (stats["opens"], stats["bytes_read"], stats["allocations"]) == (7, cells.nbytes, 1)
    assert part == 20 * 50 * 2


def test_a_load_of_compressed_frames_reads_them_alone(tmp_path: Path) -> None:
    cells = np.random.default_rng(1).integers(0, 9, (4, 60, 50), np.int16)
    frames = [rle_frame(frame) for frame in cells]
    pixels = [encapsulated([[frame]], table=None) for frame in frames]
    write_series(tmp_path / "a", 4, pixels=list(cells), syntax=RLE, pixel_element=pixels)
    td.scan(tmp_path / "a").save(tmp_path / "i.parquet")
    read, stats, _ = in_child(PIXELS_ALONE, tmp_path / "a", tmp_path / "i.parquet")
    assert read == sum(map(len, frames))
    assert stats["opens"] == 4


def test_deflated_files(tmp_path: Path) -> None:
    write_series(tmp_path, 3, syntax=DEFLATED)
    assert_volumes_equal(td.scan(tmp_path)[0].load(), td.load(tmp_path))


@pytest.mark.parametrize("change", ["longer", "touched", "another"])
def test_file_that_changed_since(tmp_path: Path, change: str) -> None:
    paths = write_series(tmp_path, 3)
    index = td.scan(tmp_path)
    if change == "longer":
        paths[1].write_bytes(paths[1].read_bytes() + b"\0\0")
    elif change == "touched":
        os.utime(paths[1])
    else:
        other = ct_slice(np.ones((30, 30), np.int16), SOPInstanceUID="1.2.3.4.2")
        paths[1].write_bytes(other)
    with expect_error("file_changed", path=paths[1], match="efresh"):
        index[0].load()
    if change != "another":
        assert index.refresh()[0].load().data.shape == (3, 3, 4)


def test_file_that_is_gone(tmp_path: Path) -> None:
    paths = write_series(tmp_path, 3)
    index = td.scan(tmp_path)
    paths[1].unlink()
    with pytest.raises(FileNotFoundError) as caught:
        index[0].load()
    assert caught.value.filename == str(paths[1])


def test_no_object_for_each_row(tmp_path: Path) -> None:
    frames = np.zeros((3000, 2, 2), np.uint8)
    for k in range(2):
        data = ct_slice(frames, SeriesInstanceUID=f"2.{k}", SOPInstanceUID=f"3.{k}")
        (tmp_path / f"{k}.dcm").write_bytes(data)
    td.scan(tmp_path).save(tmp_path / "i.parquet")
    td.open_index(tmp_path / "i.parquet")
    gc.collect()
    before = len(gc.get_objects())
    index = td.open_index(tmp_path / "i.parquet")
    assert [one.shape for one in index] == [(3000, 2, 2)] * 2
    assert len(gc.get_objects()) - before < 500
