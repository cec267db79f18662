"""Real series against the NIfTI files that other converters made of them.

The table has every NIfTI file of the data folder: the volume equals it up to the order and
direction of its axes, with nothing chosen, or the load is refused with the code that is given.
"""

from __future__ import annotations

import hashlib
import json
from collections import Counter
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import nibabel
import numpy as np
import numpy.typing as npt
import pydicom
import pytest

import torchdicom as td
from helpers import CLASS_OF, Backend, affine_of

pytestmark = pytest.mark.data

Array = npt.NDArray[Any]


@dataclass(frozen=True)
class Row:
    """A folder of DICOM files and a NIfTI file.

    Attributes:
        dicom: The folder.
        nifti: What another converter made of it.
        refused: Code of the error instead, where it is no classic volume of single frames.
    """

    dicom: str
    nifti: str
    refused: str | None = None


def _mirp(path: str, **more: Any) -> Row:
    folder = f"mirp/test/data/sts_images/{path}"
    return Row(f"{folder}/dicom/image", f"{folder}/nifti/image/image.nii.gz", **more)


def _d2n(path: str, suffix: str = "", **more: Any) -> Row:
    folder = f"dicom2nifti/tests/data/{path}"
    return Row(folder, f"{folder}_ground_truth{suffix}.nii.gz", **more)


TABLE = [
    _mirp("STS_001/PET"),
    _mirp("STS_002/CT"),
    _mirp("STS_002/MR_T1"),
    _mirp("STS_002/PET"),
    _d2n("failing/slicecount/001"),
    _d2n("ge/anatomical/001_implicit"),
    _d2n("generic/anatomical/001"),
    _d2n("generic/anatomical/002_non_isotropic"),
    _d2n("generic/compressed_j2k/001"),
    _d2n("generic/compressed_jpeg/001"),
    _d2n("generic/compressed_jpegls/001"),
    _d2n("generic/compressed_rle/001"),
    _d2n("generic/rgb/001"),
    _d2n("hitachi/anatomical/001"),
    _d2n("philips/anatomical/001"),
    # A structure set has no pixels.
    Row(
        "mirp/test/data/sts_images/STS_001/PET/dicom/mask",
        "mirp/test/data/sts_images/STS_001/PET/nifti/mask/mask.nii.gz",
        refused="no_images",
    ),
    # Time series of single frames, of which nothing is left that says so.
    _d2n("ge/fmri/001", refused="duplicate_positions"),
    _d2n("philips/fmri/001", refused="duplicate_positions"),
    _d2n("hyperfine/anatomical/001"),
    _d2n("hyperfine/anatomical/001", "_reoriented"),
    _d2n("philips_enhanced/anatomical/001"),
    _d2n("philips_enhanced/fmri/001"),
    _d2n("philips_enhanced/fmri/001_implicit"),
    _d2n("siemens_multiframe/anatomical/001"),
    # The first tile of one is its uppermost slice, of the other its lowest.
    Row("dcm_qa_mosaic/In/ep2d_Int_HF_5", "dcm_qa_mosaic/Ref/5_ep2d_Int_HF.nii"),
    Row("dcm_qa_mosaic/In/cmrr_Asc_6", "dcm_qa_mosaic/Ref/6_cmrr_Asc.nii"),
]


def row_id(row: Row) -> str:
    return row.nifti


def axes_from_to(ours: Array, theirs: Array, shape: tuple[int, ...]) -> Array:
    """The matrix from their index to ours: a signed permutation, and moves to the other end."""
    exact = np.linalg.solve(ours, theirs)
    turn = np.rint(exact)
    assert (np.abs(turn[:3, :3]).sum(axis=0) == 1).all(), f"axes are not parallel:\n{exact}"
    assert (np.abs(turn[:3, :3]).sum(axis=1) == 1).all(), f"axes are not parallel:\n{exact}"
    for axis in range(3):
        is_flipped = turn[axis, :3].sum() < 0
        assert turn[axis, 3] == (shape[axis] - 1 if is_flipped else 0), f"shifted:\n{exact}"
    return turn


def turned(data: Array, turn: Array) -> Array:
    """Our voxels in the order of their axes."""
    flips = tuple(slice(None, None, -1 if row.sum() < 0 else 1) for row in turn[:3, :3])
    axes = [int(np.abs(column).argmax()) for column in turn[:3, :3].T]
    return data[flips].transpose([*axes, *range(3, data.ndim)])


@pytest.mark.parametrize("row", TABLE, ids=row_id)
def test_reference(data_dir: Path, backend: Backend, row: Row) -> None:
    folder = data_dir / row.dicom
    if row.refused is not None:
        with pytest.raises(CLASS_OF[row.refused]) as caught:
            td.load(folder, backend=backend)
        assert caught.value.code == row.refused
        return
    volume = td.load(folder, backend=backend)
    assert_equal(volume, data_dir / row.nifti)


def assert_equal(volume: td.Volume, nifti: Path) -> None:
    image: Any = nibabel.load(nifti)
    expected: Array = np.asanyarray(image.dataobj)
    if expected.shape[3:] == (1,):
        expected = expected[..., 0]  # one time, which is none here
    if expected.dtype.names is not None:  # red, green, blue, and an alpha that says nothing
        expected = np.stack([expected[name] for name in "RGB"], axis=-1)
    data, ras = volume.to_ras_xyz()
    turn = axes_from_to(ras.numpy(), image.affine, tuple(data.shape[:3]))
    assert np.allclose(ras.numpy() @ turn, image.affine, rtol=0, atol=1e-3)
    actual = turned(data.numpy(), turn)
    assert actual.shape == expected.shape
    assert np.allclose(actual, expected, rtol=1e-6, atol=0)


@pytest.mark.parametrize("maker", ["ge", "philips"])
def test_time_series_that_says_so_again(
    data_dir: Path, tmp_path: Path, backend: Backend, maker: str
) -> None:
    """The files as they were before the order in time was taken out of them."""
    folder = data_dir / f"dicom2nifti/tests/data/{maker}/fmri/001"
    images = [pydicom.dcmread(path) for path in sorted(folder.iterdir())]
    images.sort(key=lambda image: int(image.InstanceNumber))
    seen: Counter[tuple[float, ...]] = Counter()
    for i, image in enumerate(images):
        place = tuple(image.ImagePositionPatient)
        seen[place] += 1
        image.TemporalPositionIdentifier = seen[place]
        image.save_as(tmp_path / f"{i}.dcm")
    volume = td.load(tmp_path, backend=backend)
    assert volume.dims == ("t", "z", "y", "x")
    assert_equal(volume, Path(f"{folder}_ground_truth.nii.gz"))


def test_table_has_every_nifti_file(data_dir: Path) -> None:
    paths = [*data_dir.rglob("*.nii"), *data_dir.rglob("*.nii.gz")]
    assert sorted(str(path.relative_to(data_dir)) for path in paths) == sorted(
        row.nifti for row in TABLE
    )


def test_turning_is_undone() -> None:
    # Their i runs along our y backwards, their j along our z, their k along our x.
    data = np.arange(24).reshape(2, 3, 4)
    turn = np.array([[0, 0, 1, 0], [-1, 0, 0, 2], [0, 1, 0, 0], [0, 0, 0, 1]])
    theirs = turned(data, turn)
    assert theirs.shape == (3, 4, 2)
    for i, j, k in np.ndindex(3, 4, 2):
        assert theirs[i, j, k] == data[k, 2 - i, j]


# --- volumes that another converter's digest is known of


def digest(data_dir: Path, name: str) -> dict[str, Any]:
    made: dict[str, Any] = json.loads((data_dir / "_digests" / f"{name}.json").read_text())
    return made


def test_table_has_every_digest(data_dir: Path) -> None:
    names = sorted(path.stem for path in (data_dir / "_digests").glob("*.json"))
    assert names == ["cmb-crc-100", "d2n-tilt"]


@pytest.mark.parametrize(("name", "codes"), [("cmb-crc-100", []), ("d2n-tilt", ["gantry_tilt"])])
def test_digest(data_dir: Path, backend: Backend, name: str, codes: list[str]) -> None:
    known = digest(data_dir, name)
    folder = data_dir / known["dicom_dir"]
    allowed = td.Policy(gantry_tilt="allow")
    volume = td.load(folder, policy=allowed, backend=backend)
    assert [one.code for one in volume.verdict.defects] == codes
    data, ras = volume.to_ras_xyz()
    assert list(data.shape) == known["nifti_shape"]
    theirs = np.array(known["affine_RAS"])
    turn = axes_from_to(ras.numpy(), theirs, tuple(data.shape))
    # The digest's affine went through float32.
    assert np.allclose(ras.numpy() @ turn, theirs, rtol=0, atol=1e-4)
    values = turned(data.numpy(), turn)
    for probe in known["probes"]:
        assert values[tuple(probe["ijk"])] == probe["value"]
    stored = td.load(folder, policy=allowed, output="stored", backend=backend)
    raw = turned(stored.to_ras_xyz()[0].numpy(), turn).astype(known["stored_dtype"])
    found = hashlib.sha256(raw.tobytes(order="F")).hexdigest()
    assert found == known["sha256_stored_fortran_order"]


def test_affine_of_a_tilted_series_has_the_shear(data_dir: Path, backend: Backend) -> None:
    folder = data_dir / digest(data_dir, "d2n-tilt")["dicom_dir"]
    affine = affine_of(td.load(folder, backend=backend))
    # Positions of the first and last of four slices: from z -61.95 to -46.95, all else equal.
    assert affine[:3, 0].tolist() == pytest.approx([0, 0, 5])
    assert affine[:3, 1].tolist() == pytest.approx(
        [0, 0.970295726276 * 0.41796875, -0.2419218955997 * 0.41796875]
    )
