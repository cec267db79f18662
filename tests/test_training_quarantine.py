"""Defective series and files: one error for all, or quarantine that is the same everywhere."""

from __future__ import annotations

import pickle
import re
import shutil
import subprocess
import sys
import warnings
from itertools import islice
from typing import TYPE_CHECKING, Any

import numpy as np
import pytest
import torch

import torchdicom as td
from builders import write_series
from helpers import ROOT
from torchdicom._training._quarantine import substitutes
from training import Times, ramp, write_volume, write_volumes

if TYPE_CHECKING:
    from pathlib import Path


@pytest.fixture
def defective(tmp_path: Path) -> Path:
    """Sound ones of keys 1.2.3.1 to 3; one with a gap, one that is uneven, one with a repeat."""
    folder = write_volumes(tmp_path / "ct", 3)
    gap = write_volume(folder / "gap", SeriesInstanceUID="1.4.1")
    (gap / "0003.dcm").unlink()
    positions = [(0, 0, z) for z in (0, 1, 2, 3.4)]
    write_series(
        folder / "uneven",
        4,
        SeriesInstanceUID="1.4.2",
        SOPInstanceUID=["2.1", "2.2", "2.3", "2.4"],
        ImagePositionPatient=positions,
    )
    twice = [(0, 0, z) for z in (0, 1, 1, 2)]
    write_series(
        folder / "repeat",
        4,
        SeriesInstanceUID="1.4.3",
        SOPInstanceUID=["3.1", "3.2", "3.3", "3.4"],
        ImagePositionPatient=twice,
    )
    return folder


def break_file(path: Path) -> None:
    """What a scan has seen is not there any more."""
    path.write_bytes(path.read_bytes()[:-8])


# --- defects that headers show


def test_one_error_lists_all(defective: Path) -> None:
    with pytest.raises(td.SeriesError) as caught:
        td.VolumeDataset(defective)
    text = str(caught.value)
    assert "3 series have defects that the policy raises" in text
    lines = [line.split()[0] for line in text.splitlines() if line.startswith("  ")]
    assert lines == ["1.4.1:", "1.4.2:", "1.4.3:"]
    for code in ("[missing_slices]", "[uneven_spacing]", "[duplicate_positions]"):
        assert code in text
    assert caught.value.code is None  # there are several


def test_error_of_one_has_its_code(defective: Path) -> None:
    with pytest.raises(
        td.SeriesError, match=r"Series 1\.4\.1 can't be used: .*\[missing_slices\]"
    ) as caught:
        td.VolumeDataset(td.scan(defective).filter(key=["1.2.3.1", "1.4.1"]))
    assert caught.value.code == "missing_slices"


def test_quarantine_goes_on_without(defective: Path) -> None:
    with pytest.warns(td.DicomWarning, match="3 series in quarantine") as caught:
        dataset = td.VolumeDataset(defective, on_error="quarantine")
    assert len(caught) == 1
    assert caught[0].filename == __file__
    assert [sample["series"] for sample in dataset] == ["1.2.3.1", "1.2.3.2", "1.2.3.3"]
    found = [(one.key, one.code) for one in dataset.quarantined]
    assert found == [
        ("1.4.1", "missing_slices"),
        ("1.4.2", "uneven_spacing"),
        ("1.4.3", "duplicate_positions"),
    ]
    assert all(one.message for one in dataset.quarantined)
    assert repr(dataset) == "VolumeDataset(3 samples, 3 series, 3 in quarantine)"
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        assert pickle.loads(pickle.dumps(dataset)).quarantined == dataset.quarantined


@pytest.mark.parametrize(
    ("policy", "keys"),
    [
        (td.Policy(missing_slices="allow"), ["1.4.2", "1.4.3"]),
        (td.Policy(uneven_spacing="allow"), ["1.4.1", "1.4.3"]),
        (td.Policy(duplicate_positions="drop"), ["1.4.1", "1.4.2"]),
        (td.Policy(spacing_tolerance=0.49, missing_slices="allow"), ["1.4.3"]),
        (td.Policy(position_tolerance_mm=0.9), ["1.4.1", "1.4.3"]),
    ],
)
def test_policy_judges(defective: Path, policy: td.Policy, keys: list[str]) -> None:
    with pytest.warns(td.DicomWarning, match="quarantine"):
        dataset = td.VolumeDataset(defective, policy=policy, on_error="quarantine")
    assert [one.key for one in dataset.quarantined] == keys
    for sample, series in zip(dataset, dataset.series, strict=True):
        assert tuple(sample["image"].shape[1:]) == series.shape


def test_policy_may_be_stricter(tmp_path: Path) -> None:
    single = write_volume(tmp_path, np.zeros((1, 3, 4), np.int16), SliceThickness=2)
    assert len(td.VolumeDataset(single)) == 1
    with pytest.raises(td.SeriesError) as caught:
        td.VolumeDataset(single, policy=td.Policy(assumed_spacing="raise"))
    assert caught.value.code == "assumed_spacing"


def test_sound_copy_in_another_tree_is_used(tmp_path: Path) -> None:
    whole, gap = (write_volume(tmp_path / name, SeriesInstanceUID="1.4.1") for name in "ab")
    (gap / "0003.dcm").unlink()
    sources = [td.scan(gap)[0], td.scan(whole)[0]]
    with pytest.warns(td.DicomWarning, match="1 series in quarantine"):
        dataset = td.VolumeDataset(sources, on_error="quarantine")
    assert [one.key for one in dataset.quarantined] == ["1.4.1"]
    assert dataset[0]["image"][0].tolist() == ramp().tolist()


def test_other_kinds_are_named(defective: Path) -> None:
    said = re.escape("kinds ('image', 'cine') that can be used; kinds= may name others")
    with (
        pytest.warns(td.DicomWarning, match="left out: 6 volume"),
        pytest.raises(td.SeriesError, match=f"{said}, of which there are 6 volume"),
    ):
        td.ImageDataset(defective)


def test_nothing_left(defective: Path) -> None:
    bad = td.scan(defective).filter(ok=False)
    with pytest.raises(td.SeriesError) as caught, pytest.warns(td.DicomWarning, match="quarantine"):
        td.VolumeDataset(bad, on_error="quarantine")
    assert caught.value.code == "no_images"


# --- what only reading shows


def test_read_failure_names_the_series(tmp_path: Path) -> None:
    dataset = td.VolumeDataset(write_volumes(tmp_path, 3))
    break_file(tmp_path / "1" / "0002.dcm")
    assert dataset[0]["series"] == "1.2.3.1"
    with pytest.raises(td.ParseError, match=r"Series 1\.2\.3\.2 can't be read: ") as caught:
        dataset[1]
    assert caught.value.code == "file_changed"
    assert caught.value.path == str(tmp_path / "1" / "0002.dcm")
    shutil.rmtree(tmp_path / "2")
    with pytest.raises(FileNotFoundError, match=r"in series 1\.2\.3\.3.*2/000"):
        dataset[2]


def test_another_sample_takes_the_place(tmp_path: Path) -> None:
    dataset = td.VolumeDataset(
        write_volumes(tmp_path, 6),
        on_error="quarantine",
        seed=1,
        target={f"1.2.3.{i + 1}": i for i in range(6)},
    )
    break_file(tmp_path / "2" / "0001.dcm")
    expected = next(substitutes(1, 2, 6))
    with pytest.warns(
        td.DicomWarning, match=r"Series 1\.2\.3\.3 can't be read, and other"
    ) as caught:
        sample = dataset[2]
    assert len(caught) == 1
    assert sample["series"] == f"1.2.3.{expected + 1}"
    assert sample["target"].item() == expected
    assert sample["image"][0, 0, 0, 0].item() == 1000 * expected
    # Said once; the epoch keeps its length.
    assert [one["series"] for one in dataset][2] == sample["series"]
    assert len(list(dataset)) == 6
    assert {i: (one.key, one.code) for i, one in dataset.failures.items()} == {
        2: ("1.2.3.3", "file_changed")
    }
    out = torch.zeros(dataset.image_shape(2) or ())
    assert dataset.read(2, out=out)["image"] is out
    assert out[0, 0, 0, 0].item() == 1000 * expected


def test_place_of_another_shape_leaves_the_memory_alone(tmp_path: Path) -> None:
    write_volumes(tmp_path, 2)
    write_volume(tmp_path / "large", SeriesInstanceUID="1.2.3.3")
    dataset = td.VolumeDataset(
        td.scan(tmp_path).filter(key=["1.2.3.2", "1.2.3.3"]), on_error="quarantine"
    )
    break_file(tmp_path / "large" / "0001.dcm")
    out = torch.full((1, 8, 10, 12), 5.0)
    with pytest.warns(td.DicomWarning):
        sample = dataset.read(1, out=out)
    assert sample["image"] is not out
    assert sample["image"].shape == (1, 4, 3, 4)


def test_substitutes_are_fixed_by_seed_and_number() -> None:
    for seed, i, count in [(0, 0, 2), (0, 3, 10), (7, 99, 100), (7, 5, 1000)]:
        found = list(substitutes(seed, i, count))
        assert found == list(substitutes(seed, i, count))
        assert len(set(found)) == len(found) == min(count, 100) - 1
        assert i not in found
        assert all(0 <= j < count for j in found)
    assert list(substitutes(0, 0, 1)) == []
    firsts = [next(substitutes(0, i, 1000)) for i in range(200)]
    assert len(set(firsts)) > 150
    assert firsts != [next(substitutes(1, i, 1000)) for i in range(200)]
    # Written down once: a dataset of an older version has the same samples.
    assert list(islice(substitutes(0, 3, 1000), 3)) == FIRST_OF_3


FIRST_OF_3 = [405, 380, 887]


def test_nothing_can_be_read(tmp_path: Path) -> None:
    dataset = td.VolumeDataset(write_volumes(tmp_path, 3), on_error="quarantine")
    for i in range(3):
        break_file(tmp_path / str(i) / "0000.dcm")
    with (
        pytest.raises(td.SeriesError, match=r"Sample 1 can't be read, nor can any") as caught,
        pytest.warns(td.DicomWarning),
    ):
        dataset[1]
    assert caught.value.code == "file_changed"
    assert sorted(dataset.failures) == [0, 1, 2]


@pytest.mark.parametrize(
    "error", [ZeroDivisionError(), FileNotFoundError(2, "gone"), td.ParseError("bad")]
)
@pytest.mark.parametrize("on_error", ["raise", "quarantine"])
def test_a_transform_that_fails_is_no_bad_file(
    tmp_path: Path, error: Exception, on_error: Any
) -> None:
    def fails(_: Any) -> Any:
        raise error

    dataset = td.VolumeDataset(write_volumes(tmp_path, 2), on_error=on_error, transform=fails)
    with pytest.raises(type(error)) as caught:
        dataset[1]
    assert caught.value is error
    assert not dataset.failures
    if sys.version_info >= (3, 11):
        assert error.__notes__[-1] == "This was transform= with a sample of series 1.2.3.2."


@pytest.mark.parametrize("kind", ["image", "patch"])
def test_frames_and_patches(tmp_path: Path, kind: str) -> None:
    folder = write_volumes(tmp_path, 3)
    if kind == "image":
        dataset: Any = td.ImageDataset(
            folder, kinds=("volume",), output="modality", on_error="quarantine"
        )
        bad = [5]  # one slice of four
    else:
        dataset = td.PatchDataset(
            folder, (4, 2, 2), patches_per_volume=4, buffer=2, on_error="quarantine"
        )
        bad = []
    break_file(tmp_path / "1" / "0001.dcm")
    with pytest.warns(td.DicomWarning, match=r"Series 1\.2\.3\.2 can't be read") as caught:
        samples = list(dataset)
    assert len(caught) == 1
    assert len(samples) == 12
    if kind == "image":
        assert sorted(dataset.failures) == bad
        assert samples[5]["frame"] != 1 or samples[5]["series"] != "1.2.3.2"
    else:
        assert len(dataset.failures) == 4
        assert {sample["series"] for sample in samples} == {"1.2.3.1", "1.2.3.3"}


def test_an_epoch_does_not_depend_on_what_others_met(tmp_path: Path) -> None:
    folder = write_volumes(tmp_path, 3)
    index = td.scan(folder)
    break_file(tmp_path / "1" / "0001.dcm")

    def dataset() -> td.PatchDataset:
        return td.PatchDataset(index, (1, 2, 2), patches_per_volume=3, on_error="quarantine")

    def places(one: td.PatchDataset) -> list[tuple[str, list[int]]]:
        return [(sample["series"], sample["position"].tolist()) for sample in one]

    old = dataset()
    seen: set[int] = set()
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", td.DicomWarning)
        for epoch in range(8):
            old.set_epoch(epoch)
            new = dataset()
            new.set_epoch(epoch)
            assert places(old) == places(new)
            seen.update(new.failures)
    # Patches that met the broken slice in one epoch, and others in another.
    assert seen == set(old.failures)
    assert len(new.failures) < len(old.failures)


CHILD = """
import json, sys, warnings
warnings.simplefilter("ignore")
import torchdicom as td
from pathlib import Path
index = td.open_index(sys.argv[1])
dataset = td.VolumeDataset(index, on_error="quarantine", seed=4)
order = range(len(dataset)) if sys.argv[2] == "up" else reversed(range(len(dataset)))
found = {i: dataset[i]["series"] for i in order}
left = [list(one) for one in dataset.quarantined]
print(json.dumps([sorted(found.items()), left, sorted(dataset.failures)]))
"""


def test_processes_agree(tmp_path: Path) -> None:
    folder = write_volumes(tmp_path / "ct", 9)
    gap = write_volume(folder / "gap", SeriesInstanceUID="1.4.1")
    (gap / "0003.dcm").unlink()
    td.scan(folder).save(tmp_path / "index.parquet")
    for i in (1, 4, 5, 6):
        break_file(folder / str(i) / "0001.dcm")
    found = [
        subprocess.run(
            [sys.executable, "-c", CHILD, str(tmp_path / "index.parquet"), way],
            capture_output=True,
            text=True,
            check=True,
            cwd=ROOT,
        ).stdout
        for way in ("up", "down")
    ]
    assert found[0] == found[1]
    assert '"1.4.1"' in found[0]
    assert found[0].count("missing_slices") == 1


def test_failures_go_along_to_workers(tmp_path: Path) -> None:
    dataset = td.VolumeDataset(
        write_volumes(tmp_path, 3), on_error="quarantine", transform=Times(1)
    )
    break_file(tmp_path / "1" / "0001.dcm")
    with pytest.warns(td.DicomWarning):
        dataset[1]
    other = pickle.loads(pickle.dumps(dataset))
    with warnings.catch_warnings():
        warnings.simplefilter("error")  # it was said already
        assert other[1]["series"] == dataset[1]["series"]
    assert other.failures == dataset.failures
