"""`label=`: on the grid of the image, by the millimetres of both."""

from __future__ import annotations

import math
from dataclasses import replace
from typing import TYPE_CHECKING, Any

import nibabel as nib
import numpy as np
import pydicom
import pytest
import torch

import torchdicom as td
from builders import Element, ct_slice
from torchdicom._training._labels import nearest
from training import SHAPE, ULTRASOUND, place, ramp, write_volume

if TYPE_CHECKING:
    from pathlib import Path

# In the geometry of `builders`: the voxel z 5, y 3, x 8.
LANDMARK = (5, 3, 8)
LANDMARK_MM = (-10 + 8 * 0.25, -20 + 3 * 0.5, 30 + 5 * 2.5)


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    cells = np.zeros(SHAPE, np.int16)
    cells[LANDMARK] = 1000
    return write_volume(tmp_path / "ct", cells)


def marked(
    shape: tuple[int, int, int] = SHAPE, at: tuple[int, int, int] = LANDMARK
) -> torch.Tensor:
    marks = torch.zeros(shape, dtype=torch.uint8)
    marks[at] = 3
    return marks


def write_nifti(path: Path, data: np.ndarray[Any, Any], affine: np.ndarray[Any, Any]) -> Path:
    """From z, y, x and LPS, by the definition of NIfTI: x, y, z and RAS."""
    ras = np.diag([-1.0, -1, 1, 1]) @ affine[:, [2, 1, 0, 3]]
    nib.save(nib.Nifti1Image(data.transpose(2, 1, 0), ras), path)
    return path


def fine_grid() -> tuple[np.ndarray[Any, Any], np.ndarray[Any, Any]]:
    """A label of much smaller voxels, that starts elsewhere and runs the other way along x.

    A block about the landmark, as large as one voxel of the image.
    """
    x, y, z = LANDMARK_MM
    origin = (x + 50 * 0.05, y - 20 * 0.1, z - 30 * 0.5)
    affine = np.array(
        [[0, 0, -0.05, origin[0]], [0, 0.1, 0, origin[1]], [0.5, 0, 0, origin[2]], [0, 0, 0, 1.0]]
    )
    block = np.zeros((45, 60, 100), np.uint8)
    block[30 - 2 : 30 + 3, 20 - 2 : 20 + 3, 50 - 2 : 50 + 3] = 3
    return block, affine


# --- forms


@pytest.mark.parametrize("form", ["tensor", "numpy", "channels"])
def test_tensor_on_the_voxels_of_the_image(folder: Path, form: str) -> None:
    marks: Any = {
        "tensor": marked(),
        "numpy": marked().numpy(),
        "channels": torch.stack([marked(), 2 * marked()]),
    }[form]
    sample = td.VolumeDataset(folder, label=lambda _: marks)[0]
    channels = 2 if form == "channels" else 1
    assert sample["label"].dtype == torch.uint8
    assert sample["label"].shape == (channels, *SHAPE)
    assert sample["label"].nonzero().tolist() == [[c, *LANDMARK] for c in range(channels)]


@pytest.mark.parametrize("form", ["nifti", "gz", "volume", "dicom"])
def test_other_grid(folder: Path, tmp_path: Path, form: str) -> None:
    data, affine = fine_grid()
    if form in {"nifti", "gz"}:
        label: Any = write_nifti(tmp_path / f"label.nii{'.gz' * (form == 'gz')}", data, affine)
    else:
        cells = data.astype(np.int16)
        x, y, z = affine[:3, 3].tolist()
        positions = [(x, y, z + 0.5 * i) for i in range(45)]
        mirrored: dict[str, Any] = {
            "ImageOrientationPatient": (-1, 0, 0, 0, 1, 0),
            "PixelSpacing": (0.1, 0.05),
            "ImagePositionPatient": positions,
            "SeriesInstanceUID": "1.9",
        }
        where = write_volume(tmp_path / "label", cells, **mirrored)
        label = td.load(where) if form == "volume" else where
    sample = td.VolumeDataset(folder, label=lambda _: label)[0]
    assert sample["label"].shape == (1, *SHAPE)
    assert sample["label"].nonzero().tolist() == [[0, *LANDMARK]]
    assert sample["label"][(0, *LANDMARK)].item() == 3


@pytest.mark.parametrize(
    "options",
    [
        {},
        {"orientation": "RAI"},
        {"orientation": "SPL"},
        {"spacing_mm": (1.25, 0.25, 0.125)},
        {"spacing_mm": (0.25, 1.25, 0.25), "orientation": "AIR"},
        {"size": (10, 6, 20)},
        {"size": (4, 12, 8), "orientation": "LPI", "spacing_mm": (2.5, 0.25, 0.25)},
    ],
)
@pytest.mark.parametrize("own_grid", [False, True])
def test_image_and_label_stay_together(
    folder: Path, tmp_path: Path, options: dict[str, Any], *, own_grid: bool
) -> None:
    label: Any = write_nifti(tmp_path / "label.nii", *fine_grid()) if own_grid else marked()
    sample = td.VolumeDataset(folder, label=lambda _: label, **options)[0]
    assert sample["label"].shape == sample["image"].shape
    # Where the bright voxel went, weighted, is where it was; so are the voxels of the label.
    bright = sample["image"][0].clamp(min=0).double()
    index = torch.stack(torch.meshgrid(*(torch.arange(n) for n in bright.shape), indexing="ij"))
    for weights in (bright, sample["label"][0].double()):
        centre = (index * weights).sum((1, 2, 3)) / weights.sum()
        assert place(sample, tuple(centre.tolist())) == pytest.approx(LANDMARK_MM)
    # All that the label marks is brighter than what it does not mark is on average.
    assert bright[sample["label"][0] > 0].min() > 0


def test_patches_have_their_part(folder: Path, tmp_path: Path) -> None:
    path = write_nifti(tmp_path / "label.nii", *fine_grid())
    for buffer in (None, 1):
        dataset = td.PatchDataset(
            folder, (12, 4, 4), patches_per_volume=20, buffer=buffer, label=lambda _: path
        )
        hits = 0
        for sample in dataset:
            where = (sample["image"][0] == 1000).nonzero().tolist()
            assert sample["label"][0].nonzero().tolist() == where
            hits += len(where)
            for voxel in where:
                assert place(sample, tuple(voxel)) == list(LANDMARK_MM)
        assert hits > 0


def test_outside_of_the_label_is_background(folder: Path, tmp_path: Path) -> None:
    data = np.full((2, 3, 4), 9, np.int32)
    affine = np.array([[0, 0, 0.25, -9], [0, 0.5, 0, -19], [2.5, 0, 0, 35], [0, 0, 0, 1.0]])
    path = write_nifti(tmp_path / "label.nii", data, affine)
    label = td.VolumeDataset(folder, label=lambda _: path)[0]["label"]
    assert label.dtype == torch.int32
    expected = torch.zeros(SHAPE, dtype=torch.int32)
    expected[2:4, 2:5, 4:8] = 9
    assert label[0].tolist() == expected.tolist()


def test_rotated_grid() -> None:
    angle = math.radians(30)
    cos, sin = math.cos(angle), math.sin(angle)
    data = torch.arange(3 * 20 * 20).reshape(1, 3, 20, 20)
    rotated = torch.tensor(
        [[0, -sin, cos, 4.0], [0, cos, sin, -7.0], [2, 0, 0, 0], [0, 0, 0, 1]], dtype=torch.float64
    )
    plain = torch.tensor(
        [[0, 0, 0.5, -3.0], [0, 0.5, 0, 1.0], [1, 0, 0, 0], [0, 0, 0, 1]], dtype=torch.float64
    )
    found = nearest(data, rotated, plain, (4, 9, 11))
    for z, y, x in np.ndindex(4, 9, 11):
        at = (0.5 * x - 3 - 4, 0.5 * y + 1 + 7)
        column, row = cos * at[0] + sin * at[1], -sin * at[0] + cos * at[1]
        i, j, k = math.floor(z / 2 + 0.5), math.floor(row + 0.5), math.floor(column + 0.5)
        is_inside = i < 3 and 0 <= j < 20 and 0 <= k < 20
        assert found[0, z, y, x].item() == (400 * i + 20 * j + k if is_inside else 0)


def test_types_of_nifti(folder: Path, tmp_path: Path) -> None:
    affine = np.array([[0, 0, 0.25, -10], [0, 0.5, 0, -20], [2.5, 0, 0, 30], [0, 0, 0, 1.0]])
    for kind, expected in {
        "uint8": torch.uint8,
        "int16": torch.int16,
        "uint16": torch.int32,
        "float32": torch.float32,
        ">i2": torch.int16,
    }.items():
        write_nifti(tmp_path / "label.nii", ramp().astype(kind), affine)
        label = td.VolumeDataset(folder, label=lambda _: tmp_path / "label.nii")[0]["label"]
        assert label.dtype == expected
        assert label[0].tolist() == ramp().astype(kind).tolist()


def test_channels_of_nifti(folder: Path, tmp_path: Path) -> None:
    ras = np.array([[-0.25, 0, 0, 10], [0, -0.5, 0, 20], [0, 0, 2.5, 30], [0, 0, 0, 1.0]])
    data = np.stack([ramp().transpose(2, 1, 0), -ramp().transpose(2, 1, 0)], axis=-1)
    nib.save(nib.Nifti1Image(data, ras), tmp_path / "label.nii")
    label = td.VolumeDataset(folder, label=lambda _: str(tmp_path / "label.nii"))[0]["label"]
    assert label.tolist() == [ramp().tolist(), (-ramp()).tolist()]


@pytest.mark.parametrize(
    ("given", "expected"),
    [
        (torch.uint16, torch.int32),
        (torch.uint32, torch.int64),
        (torch.bool, torch.bool),
        (torch.bfloat16, torch.bfloat16),
    ],
)
def test_types_that_torch_cannot_compare_become_wider(
    folder: Path, given: torch.dtype, expected: torch.dtype
) -> None:
    marks = marked().to(given)
    patches = td.PatchDataset(
        folder, (1, 1, 1), patches_per_volume=1, mode="foreground", label=lambda _: marks
    )
    assert patches[0]["position"].tolist() == list(LANDMARK)
    assert patches[0]["label"].dtype == expected


# --- refusals


@pytest.mark.parametrize("shape", [(8, 10, 11), (8, 10), (1, 2, 8, 10, 12), (12, 10, 8)])
def test_shape_that_does_not_fit(folder: Path, shape: tuple[int, ...]) -> None:
    dataset = td.VolumeDataset(folder, label=lambda _: torch.zeros(shape))
    with pytest.raises(
        ValueError, match=r"label of shape .* for series 1\.2\.3\.4, whose images are \(8, 10, 12\)"
    ):
        dataset[0]


@pytest.mark.parametrize("given", [None, 5, [1, 2]])
def test_what_is_no_label(folder: Path, given: Any) -> None:
    with pytest.raises(TypeError, match=r"label= gave .* for series 1\.2\.3\.4: it must give"):
        td.VolumeDataset(folder, label=lambda _: given)[0]


def test_callable_that_fails_is_named(folder: Path) -> None:
    def fails(_: td.Series) -> Any:
        raise FileNotFoundError(2, "gone", "label.nii")

    dataset = td.VolumeDataset(folder, label=fails, on_error="quarantine")
    with pytest.raises(
        RuntimeError, match=r"label= failed for series 1\.2\.3\.4: FileNotFoundError"
    ):
        dataset[0]


def test_label_that_cannot_be_read(folder: Path, tmp_path: Path) -> None:
    dataset = td.VolumeDataset(folder, label=lambda _: tmp_path / "none.nii")
    with pytest.raises(FileNotFoundError, match=r"^No such file .*none\.nii', in series "):
        dataset[0]
    two = tmp_path / "two"
    write_volume(two / "a", SeriesInstanceUID="1.7")
    write_volume(two / "b", SeriesInstanceUID="1.8")
    with pytest.raises(ValueError, match="is 2 series, and must be one"):
        td.VolumeDataset(folder, label=lambda _: two)[0]


@pytest.mark.parametrize("uid", ["1.1", "1.2", None])
@pytest.mark.parametrize("form", ["volume", "dicom"])
def test_frames_of_reference(tmp_path: Path, uid: str | None, form: str) -> None:
    def frame(value: str | None) -> list[Element]:
        return [] if value is None else [Element(0x00200052, "UI", value)]

    def write(folder: Path, value: str | None, series: str) -> Path:
        folder.mkdir()
        for i in range(3):
            data = ct_slice(
                np.full((3, 4), i, np.int16),
                extra=frame(value),
                ImagePositionPatient=(0, 0, i),
                SOPInstanceUID=f"{series}.{i}",
                SeriesInstanceUID=series,
                RescaleIntercept=0,
            )
            (folder / f"{i}.dcm").write_bytes(data)
        return folder

    images, label = write(tmp_path / "ct", "1.1", "1.3"), write(tmp_path / "label", uid, "1.4")
    given: Any = label
    if form == "volume":
        given = td.scan(label, include_metadata=["FrameOfReferenceUID"])[0].load()
    dataset = td.VolumeDataset(images, label=lambda _: given)
    if uid == "1.2":
        with pytest.raises(
            ValueError, match=r"series 1\.3 has another frame of reference .*1\.2 and 1\.1"
        ):
            dataset[0]
        return
    assert dataset[0]["label"].tolist() == dataset[0]["image"].tolist()


def test_images_without_a_place_take_labels_of_their_shape(tmp_path: Path, folder: Path) -> None:
    data = ct_slice(**ULTRASOUND | {"Modality": "DX"})
    (tmp_path / "dx.dcm").write_bytes(data)
    plain = td.load(tmp_path / "dx.dcm", output="stored", dtype=torch.int16)
    dataset = td.VolumeDataset(tmp_path / "dx.dcm", kinds=("image",), label=lambda _: plain)
    assert dataset[0]["label"].tolist() == dataset[0]["image"].tolist()
    other = td.load(folder)
    with pytest.raises(ValueError, match="label of shape"):
        td.VolumeDataset(tmp_path / "dx.dcm", kinds=("image",), label=lambda _: other)[0]


def test_label_folder_with_a_file_that_cannot_be_read(folder: Path, tmp_path: Path) -> None:
    where = write_volume(tmp_path / "label", ramp())
    bad = sorted(where.iterdir())[3]
    bad.write_bytes(bad.read_bytes()[:-20])
    with pytest.raises(td.SeriesError, match="a file of the label can't be read") as caught:
        td.VolumeDataset(folder, label=lambda _: where)[0]
    assert (caught.value.code, caught.value.path) == ("truncated_pixels", str(bad))


@pytest.mark.parametrize("uid", ["1.1", "1.2"])
def test_frames_of_reference_that_no_scan_was_asked_for(tmp_path: Path, uid: str) -> None:
    """Neither `load` nor an index keeps them by itself: the files are asked."""
    where = {}
    for name, frame in {"ct": "1.1", "label": uid}.items():
        where[name] = tmp_path / name
        where[name].mkdir()
        for i in range(3):
            data = ct_slice(
                extra=[Element(0x00200052, "UI", frame)],
                ImagePositionPatient=(0, 0, i),
                SOPInstanceUID=f"1.3.{i}",
            )
            (where[name] / f"{i}.dcm").write_bytes(data)
    label = td.load(where["label"])
    dataset = td.VolumeDataset(td.scan(where["ct"], progress=False), label=lambda _: label)
    if uid == "1.2":
        with pytest.raises(ValueError, match=r"another frame of reference .*1\.2 and 1\.1"):
            dataset[0]
        return
    assert torch.equal(dataset[0]["label"][0].float(), label.data)
    # A label whose files are gone has none that is known.
    for path in where["label"].iterdir():
        path.unlink()
    assert torch.equal(dataset[0]["label"][0].float(), label.data)


@pytest.mark.parametrize("first", ["made up", "of a file"])
def test_the_frame_of_reference_is_not_that_of_files_around(
    tmp_path: Path, folder: Path, monkeypatch: pytest.MonkeyPatch, first: str
) -> None:
    """A label without files says none, also where the program runs in a folder of DICOM."""
    around = write_volume(tmp_path / "around")
    for path in [*around.iterdir(), *folder.iterdir()]:
        ds = pydicom.dcmread(path)
        ds.FrameOfReferenceUID = "1.1" if path.parent == folder else "1.2"
        ds.save_as(path)
    monkeypatch.chdir(around)
    label = td.load(folder)
    made_up = label.provenance[0]._replace(path="")
    planes = (
        [made_up] * SHAPE[0] if first == "made up" else [made_up, *td.load(around).provenance[1:]]
    )
    label = replace(label, provenance=tuple(planes), metadata={})
    dataset = td.VolumeDataset(folder, label=lambda _: label)
    if first == "made up":
        assert torch.equal(dataset[0]["label"], label.data[None])
        return
    with pytest.raises(ValueError, match=r"another frame of reference .*1\.2 and 1\.1"):
        dataset[0]


@pytest.mark.parametrize("kind", ["volume", "image", "patch"])
def test_what_was_given_stays_as_it_is(folder: Path, kind: str) -> None:
    """A label that a callable keeps is not the sample's to write to, nor does it travel whole."""
    kept = marked()
    options: dict[str, Any] = {"label": lambda _: kept}
    makers: dict[str, Any] = {
        "volume": lambda: td.VolumeDataset(folder, **options),
        "image": lambda: td.ImageDataset(folder, kinds=("volume",), output="modality", **options),
        "patch": lambda: td.PatchDataset(folder, (1, 10, 12), patches_per_volume=1, **options),
    }
    label = makers[kind]()[0]["label"]
    assert label.untyped_storage().nbytes() == label.numel()
    label.fill_(9)
    assert torch.equal(kept, marked())
