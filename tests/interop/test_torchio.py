"""TorchIO's images, label maps and subjects of series: places, laziness, transforms, errors."""

from __future__ import annotations

import importlib
import pickle
import re
import sys
from dataclasses import replace
from typing import TYPE_CHECKING, Any

import nibabel
import numpy as np
import pytest
import torch
import torchio as tio

import torchdicom as td
from bridge_traps import TRAPS, Answer, Trap, answer_of
from builders import write_series
from landmarks import INDEX, RAS_MM, SHAPE, VALUE, brightest, place, slice_bytes, write_landmark
from torchdicom.interop.torchio import LabelReader, SeriesReader, label_map, scalar_image, subject

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from torchdicom import Series

XYZ = INDEX[::-1]
AFFINE = np.array([[-0.15, 0, 1.6, 10], [-0.2, 0, -1.2, -20], [0, -0.5, 0, 30], [0, 0, 0, 1]])


def mark(_: Series) -> torch.Tensor:
    made = torch.zeros(SHAPE, dtype=torch.uint8)
    made[INDEX] = 3
    return made


@pytest.mark.parametrize(
    "made",
    [
        scalar_image,
        lambda folder: scalar_image(sorted(folder.iterdir())),
        lambda folder: scalar_image(td.scan(folder)[0]),
        lambda folder: scalar_image(td.load(folder)),
        lambda folder: tio.ScalarImage(folder, reader=SeriesReader()),
        lambda folder: scalar_image(folder, backend="reference"),
        lambda folder: subject(folder).image,
        lambda folder: subject(td.load(folder)).image,
        tio.ScalarImage,
    ],
    ids=[
        "folder",
        "files",
        "series",
        "volume",
        "reader",
        "reference",
        "subject",
        "its volume",
        "its own",
    ],
)
def test_landmark(tmp_path: Path, made: Callable[[Path], tio.ScalarImage]) -> None:
    image = made(write_landmark(tmp_path))
    assert isinstance(image, tio.ScalarImage)
    assert (image.shape, brightest(image.data)) == ((1, 6, 5, 4), (0, *XYZ))
    assert (image.data.max(), image.data.min()) == (VALUE, -1000)
    assert place(image.affine, XYZ) == RAS_MM
    np.testing.assert_allclose(image.affine, AFFINE, atol=1e-9)


def test_nothing_is_read_before_it_is_asked_for(tmp_path: Path) -> None:
    folder = write_landmark(tmp_path / "ct")
    one = subject(td.scan(folder)[0], label=mark)
    for file in folder.iterdir():
        file.rename(tmp_path / file.name)
    assert sorted(one) == ["image", "label", "series"]
    with pytest.raises(FileNotFoundError):
        one.image.load()
    folder.rmdir()
    folder.symlink_to(tmp_path)
    assert one.image.data.max() == VALUE


@pytest.mark.parametrize("form", ["tensor", "nifti"])
def test_label(tmp_path: Path, form: str) -> None:
    folder = write_landmark(tmp_path / "ct")
    label: Any = mark
    if form == "nifti":
        label = tmp_path / "label.nii.gz"
        turned = np.ascontiguousarray(mark(td.scan(folder)[0]).numpy().T)[:, ::-1]
        affine = AFFINE @ np.array([[1, 0, 0, 0], [0, -1, 0, 4], [0, 0, 1, 0], [0, 0, 0, 1]])
        nibabel.save(nibabel.Nifti1Image(turned, affine), label)
    made = label_map(td.scan(folder)[0], label)
    assert isinstance(made, tio.LabelMap)
    assert (made.shape, made.data.max(), made.data.sum()) == ((1, 6, 5, 4), 3, 3)
    assert place(made.affine, brightest(made.data)[1:]) == RAS_MM
    one = subject(folder, label=label, dtype=torch.int16)
    one.check_consistent_space()
    assert (one.image.data.dtype, one.series) == (torch.int16, "1.2.3.4")


def test_transforms_there_and_back(tmp_path: Path) -> None:
    one = subject(write_landmark(tmp_path), label=mark)
    steps = tio.Compose(
        [tio.ToCanonical(), tio.RandomFlip(("LR",), flip_probability=1), tio.Pad(3), tio.Crop(1)]
    )
    made = steps(one)
    assert (made.image.shape, made.label.shape) == ((1, 8, 10, 9), (1, 8, 10, 9))
    for image in (made.image, made.label):
        assert image.data[brightest(made.image.data)] in (VALUE, 3)
    back = made.apply_inverse_transform(warn=False)
    assert (back.image.shape, back.label.data.sum()) == ((1, 4, 6, 5), 3)
    for image in (back.image, back.label):
        assert place(image.affine, brightest(image.data)[1:]) == RAS_MM
    canonical = tio.ToCanonical()(subject(tmp_path, label=mark))
    assert canonical.image.orientation == ("R", "A", "S")
    for image in (canonical.image, canonical.label):
        assert place(image.affine, brightest(image.data)[1:]) == RAS_MM


@pytest.mark.parametrize("context", ["fork", "spawn"])
@pytest.mark.filterwarnings("ignore:.*multi-threaded, use of fork:DeprecationWarning")
def test_workers(tmp_path: Path, context: str) -> None:
    subjects = [subject(write_landmark(tmp_path / name), label=mark) for name in "ab"]
    dataset = tio.SubjectsDataset(subjects, transform=tio.ToCanonical())
    loader = tio.SubjectsLoader(
        dataset, batch_size=2, num_workers=1, multiprocessing_context=context
    )
    (batch,) = loader
    assert tuple(batch["image"]["data"].shape) == (2, 1, 4, 6, 5)
    for one, affine in zip(batch["image"]["data"], batch["image"]["affine"], strict=True):
        assert place(affine, brightest(one)[1:]) == RAS_MM
    again = pickle.loads(pickle.dumps(SeriesReader(tmp_path / "a", output="stored")))
    assert again("")[0].max() == 3024


def untyped(source: Any) -> Any:
    """For calls that type checkers refuse."""
    return source


@pytest.mark.parametrize(
    ("call", "error", "told"),
    [  # of a folder f beside another one
        (lambda f: scalar_image(f, outputs="suv"), ValueError, "outputs"),
        (lambda f: scalar_image(f, mask=True), ValueError, "mask cannot be given here"),
        (lambda f: scalar_image(td.load(f), output="suv"), ValueError, "loaded already"),
        (
            lambda f: scalar_image(untyped(f.name.encode())),
            TypeError,
            "a folder, files or a Series, not bytes; scalar_image and subject take a Volume, too",
        ),
        (
            lambda f: label_map(untyped(td.load(f)), mark),
            TypeError,
            "or a Series, not Volume; scalar_image",
        ),
        (lambda f: subject(td.load(f), mark), ValueError, "hand in that, not a Volume"),
        (lambda f: subject(td.load(f), output="suv"), ValueError, "loaded already"),
        (lambda f: subject(f, label=mark, reduce=1), ValueError, "reduce cannot be given with a"),
        (lambda f: subject(f.parent), ValueError, "one series, and it has 2: '1.2.3.4', '1.2.9'"),
        (lambda f: label_map(f, 3), TypeError, "label"),
    ],
)
def test_wrong_calls(
    tmp_path: Path, call: Callable[[Path], Any], error: type[Exception], told: str
) -> None:
    folder = write_landmark(tmp_path / "a")
    write_landmark(tmp_path / "b", SeriesInstanceUID="1.2.9")
    with pytest.raises(error, match=re.escape(told)):
        call(folder)


def test_subject_of_a_volume(tmp_path: Path) -> None:
    volume = td.load(write_landmark(tmp_path))
    assert subject(volume).series == subject(tmp_path).series == "1.2.3.4"
    assert subject(replace(volume, metadata={})).series == ""


def test_one_of_several_series(tmp_path: Path) -> None:
    write_landmark(tmp_path / "a")
    write_series(tmp_path / "b", 3, SeriesInstanceUID="1.2.9")
    assert subject(tmp_path, series="1.2.3.4").image.data.max() == VALUE
    assert scalar_image(tmp_path, series="1.2.9").shape == (1, 4, 3, 3)


class Request:
    """What TorchIO 2 hands to a lazy reader, as far as it counts."""

    def __init__(self, path: Path) -> None:
        self.path = path


@pytest.mark.parametrize("options", [{}, {"reduce": 0}, {"backend": "native"}], ids=str)
def test_backend_of_torchio_2(tmp_path: Path, options: dict[str, Any]) -> None:
    """By its documentation: TorchIO 2 itself is not there to ask."""
    backend = SeriesReader(**options).create_backend(Request(write_landmark(tmp_path)))
    assert backend.shape == (1, 6, 5, 4)
    assert backend.dtype == np.dtype("float32")
    assert backend.affine.dtype == torch.float64
    np.testing.assert_allclose(backend.affine, AFFINE, atol=1e-9)
    whole = backend.to_tensor()
    assert brightest(whole) == (0, *XYZ)
    assert backend[0, 4, 1, 2].tolist() == [[[[VALUE]]]]
    for item in (
        (slice(None), slice(3, None), slice(0, 2), slice(1, 3)),
        (slice(None), slice(0, 6, 2), slice(1, 4, 2), slice(0, 4, 3)),
        (..., slice(2, 3)),
        slice(0, 1),
        (slice(0, 1), slice(2, 2)),
    ):
        assert torch.equal(backend[item], whole[item])
    with pytest.raises(IndexError, match="index 6 is not there: the dim has length 6"):
        backend[0, 6]
    with pytest.raises(IndexError, match="too many indices"):
        backend[0, 0, 0, 0, 0]
    with pytest.raises(ValueError, match="must be positive, not -1"):
        backend[:, ::-1]


def test_labels_go_along_to_other_processes(tmp_path: Path) -> None:
    folder = write_landmark(tmp_path / "ct")
    path = tmp_path / "label.nii"
    nibabel.save(nibabel.Nifti1Image(np.ones(SHAPE[::-1], np.uint8), AFFINE), path)
    reader = pickle.loads(pickle.dumps(LabelReader(td.scan(folder)[0], path)))
    assert reader("")[0].sum() == 120


# The landmark's axial series whose slices move 1 mm to the back with every 2 mm: x 4 * 0.25, y 0.5
# and 2 slices, in RAS.
TILTED_RAS_MM = (-1.0, -2.5, 4.0)


def tilted(folder: Path) -> Path:
    folder.mkdir()
    for z in range(SHAPE[0]):
        axes: dict[str, Any] = {"ImageOrientationPatient": (1, 0, 0, 0, 1, 0)}
        content = slice_bytes(z, ImagePositionPatient=(0, z, 2 * z), **axes)
        (folder / f"{z}.dcm").write_bytes(content)
    return folder


@pytest.mark.parametrize(
    "made",
    [
        scalar_image,
        lambda folder: scalar_image(td.load(folder)),
        lambda folder: scalar_image(folder, backend="reference"),
        lambda folder: label_map(td.scan(folder)[0], mark),
        lambda folder: SeriesReader().create_backend(Request(folder)),
        lambda folder: SeriesReader(dtype=torch.int16, reduce=0).create_backend(Request(folder)),
    ],
    ids=["series", "volume", "reference", "label", "TorchIO 2", "TorchIO 2 whole"],
)
def test_shear_is_told(tmp_path: Path, made: Callable[[Path], Any]) -> None:
    folder = tilted(tmp_path / "ct")
    with pytest.warns(td.DicomWarning, match=r"not in NIfTI.*gantry_tilt=\"resample\".*to_nibabel"):
        affine = made(folder).affine
    assert place(affine, XYZ) == TILTED_RAS_MM


@pytest.mark.filterwarnings("ignore:the slices of:torchdicom.DicomWarning")
def test_what_torchio_saves_of_a_shear(tmp_path: Path) -> None:
    """Why there is a warning: what it says of each format is so."""
    image = scalar_image(tilted(tmp_path / "ct"))
    found = []
    for name in ("a.mha", "a.nrrd", "a.nii"):
        image.save(tmp_path / name)
        read = tio.ScalarImage(tmp_path / name)
        found.append(place(read.affine, brightest(read.data)[1:]))
    assert found == [TILTED_RAS_MM, TILTED_RAS_MM, (-1.0, -1.51, 4.24)]
    canonical = tio.ToCanonical()(image)
    assert place(canonical.affine, brightest(canonical.data)[1:]) == TILTED_RAS_MM


def test_shear_that_is_resampled_is_saved(tmp_path: Path) -> None:
    image = scalar_image(tilted(tmp_path / "ct"), policy=td.Policy(gantry_tilt="resample"))
    image.save(tmp_path / "a.nii")
    read = tio.ScalarImage(tmp_path / "a.nii")
    assert place(read.affine, brightest(read.data)[1:]) == TILTED_RAS_MM


def first_channel(answer: Answer) -> Answer:
    return answer._replace(shape=answer.shape[:3])


@pytest.mark.filterwarnings("ignore:the slices of:torchdicom.DicomWarning")
@pytest.mark.parametrize("trap", TRAPS.values(), ids=TRAPS)
def test_trap(tmp_path: Path, trap: Trap) -> None:
    folder = tmp_path / "series"
    trap.write(folder)
    image, theirs = scalar_image(folder), tio.ScalarImage(folder)
    told = answer_of(theirs.data[0], theirs.affine)
    if isinstance(trap.ours, str):
        with pytest.raises(td.DicomError, match=re.escape(f"[{trap.ours}]")):
            image.load()
        assert told == trap.torchio
        return
    assert image.num_channels == (trap.ours.shape[3] if len(trap.ours.shape) > 3 else 1)
    assert answer_of(image.data[0], image.affine) == first_channel(trap.ours)
    assert told == (trap.torchio or first_channel(trap.ours))


def test_without_torchio_the_extra_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "torchio", None)
    monkeypatch.delitem(sys.modules, "torchdicom.interop.torchio")
    with pytest.raises(ModuleNotFoundError, match=r"pip install 'torchdicom\[torchio\]'"):
        importlib.import_module("torchdicom.interop.torchio")
