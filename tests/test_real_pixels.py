"""Every real file with pixels: the two backends beside each other, and beside pydicom."""

from __future__ import annotations

import warnings
from functools import partial
from typing import TYPE_CHECKING, Any

import numpy as np
import pydicom
import pytest
from pydicom.pixels.processing import apply_color_lut, apply_modality_lut
from pydicom.pixels.utils import pixel_array
from pydicom.uid import UID

import torchdicom as td
from builders_defects import LAX
from compare import assert_within, tolerance
from helpers import Backend, read_header
from real_files import SOURCES, assert_only, files_of, of_source, outcome

if TYPE_CHECKING:
    from pathlib import Path

    import torch

pytestmark = [
    pytest.mark.data,
    # Real files have odd values in attributes that no result depends on.
    pytest.mark.filterwarnings("ignore::torchdicom.DicomWarning"),
]

LAX_VALUES: Any = LAX
POLICY = td.Policy(**LAX_VALUES)
Table = dict[str, tuple[str, str]]

# Files that are not decoded, with the code of both backends (or of each, where they differ), and
# why that is right.
_FILES = "pydicom/src/pydicom/data/test_files"
REFUSED: Table = {
    "fo-dicom/Tests/FO-DICOM.Tests/Test Data/GH340.dcm": (
        "^invalid_integer_string$",
        "InstanceNumber has 14 digits, which no IS of 32 bits holds (PS3.5 6.2)",
    ),
    f"{_FILES}/JPEG2000-embedded-sequence-delimiter.dcm": (
        "^invalid_codestream$",
        "250 bytes with noise for a SIZ segment: neither its size nor its tiles can be right",
    ),
    f"{_FILES}/MR_truncated.dcm": ("^truncated_pixels$", "cut off within the pixel data"),
    f"{_FILES}/badVR.dcm": ("^invalid_integer_string$", "NumberOfFrames is '1A'"),
    f"{_FILES}/meta_missing_tsyntax.dcm": ("^missing_element$", "it has no Rows"),
    f"{_FILES}/nested_priv_SQ.dcm": ("^missing_element$", "it has pixel data, and no Rows"),
    f"{_FILES}/no_meta.dcm": ("^not_dicom$", "nothing in it tells a data set from noise"),
    f"{_FILES}/rtplan_truncated.dcm": ("^length_exceeds_file$", "cut off within an element"),
}

# Files whose values are not the same in both backends, what is found, and who is right.
DIFFERENT: Table = {}

# Files that pydicom does not decode, or to other values; what is found, and who is right.
_SLICES = "cornerstone3D/packages/dicomImageLoader/testImages/CTImage.dcm"
_DATA = "pydicom-data/data_store/data"
_UNKNOWN = ("^pydicom: Unable to decode", "pydicom 3.0 does not know the syntax")
NOT_AS_PYDICOM: Table = {
    f"{_SLICES}_JPEGProcess10_12TransferSyntax_1.2.840.10008.1.2.4.55.dcm": _UNKNOWN,
    f"{_SLICES}_JPEGProcess6_8TransferSyntax_1.2.840.10008.1.2.4.53.dcm": _UNKNOWN,
    f"{_DATA}/liver_deflate.dcm": _UNKNOWN,
    f"{_DATA}/liver_rle.dcm": (
        "^pydicom: Unable to decode",
        "1 bit a pixel in RLE, which it does not know; the values are those of liver.dcm",
    ),
}


def has_no_pixels(*outcomes: Any) -> bool:
    return all(one == "no_pixel_data" for one in outcomes)


def refusal(native: Any, reference: Any) -> str | None:
    """The codes, where either refuses."""
    codes = [one if isinstance(one, str) else "decoded" for one in (native, reference)]
    if codes == ["decoded", "decoded"]:
        return None
    return codes[0] if codes[0] == codes[1] else " and ".join(codes)


def disagreement(path: Path, native: torch.Tensor, reference: torch.Tensor) -> str | None:
    header = read_header(path, "native")
    try:
        assert native.dtype == reference.dtype
        within = tolerance(header.transfer_syntax_uid, header.samples_per_pixel)
        assert_within(native, reference, within)
    except AssertionError as error:
        return str(error).splitlines()[0]
    return None


@pytest.mark.parametrize("source", SOURCES)
def test_backends_agree_on_every_file(data_dir: Path, source: str) -> None:
    refused, different, decoded = {}, {}, 0
    for path in files_of(data_dir, source):
        native = outcome(partial(td.decode, path))
        reference = outcome(partial(td.decode, path, backend="reference"))
        if has_no_pixels(native, reference):
            continue
        name = str(path.relative_to(data_dir))
        if said := refusal(native, reference):
            refused[name] = said
        elif said := disagreement(path, native, reference):
            different[name] = said
        else:
            decoded += 1
    assert_only(refused, of_source(REFUSED, source))
    assert_only(different, of_source(DIFFERENT, source))
    assert decoded


def by_pydicom(path: Path) -> tuple[pydicom.Dataset, Any]:
    """The data set, and its values as pydicom has them."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        ds = pydicom.dcmread(path, force=True)
        if not hasattr(ds, "file_meta") or "TransferSyntaxUID" not in ds.file_meta:
            ds.file_meta = pydicom.dataset.FileMetaDataset()
            ds.file_meta.TransferSyntaxUID = UID(read_header(path, "native").transfer_syntax_uid)
        return ds, pixel_array(ds)


def in_our_order(ds: pydicom.Dataset, values: Any) -> Any:
    """(n, y, x) or (n, 3, y, x)."""
    frames = int(ds.get("NumberOfFrames") or 1)
    shape = (frames, ds.Rows, ds.Columns)
    if int(ds.get("SamplesPerPixel", 1)) == 1:
        return values.reshape(shape)
    return values.reshape(*shape, 3).transpose(0, 3, 1, 2)


def difference_from_pydicom(path: Path, found: torch.Tensor) -> str | None:
    try:
        expected = in_our_order(*by_pydicom(path))
    except Exception as error:  # noqa: BLE001 - it has classes of its own for everything
        return f"pydicom: {' '.join(str(error).split())}"[:200]
    header = read_header(path, "native")
    within = tolerance(header.transfer_syntax_uid, header.samples_per_pixel)
    is_ybr = (header.photometric_interpretation or "").startswith("YBR")
    # pydicom converts in float32, and cuts off where it is not the only one to round.
    within = max(within, 1 if is_ybr and header.samples_per_pixel == 3 else 0)
    if tuple(expected.shape) != tuple(found.shape):
        return f"shape {tuple(expected.shape)}, not {tuple(found.shape)}"
    theirs, ours = expected.astype(np.float64), found.double().numpy()
    if not np.array_equal(np.isfinite(theirs), np.isfinite(ours)):
        return "other values are not finite"
    largest = float(np.abs(theirs - ours).max(initial=0.0, where=np.isfinite(ours)))
    return None if largest <= within else f"{largest:g} apart, {within} allowed"


@pytest.mark.parametrize("source", SOURCES)
def test_values_are_pydicom_s(data_dir: Path, backend: Backend, source: str) -> None:
    found, same = {}, 0
    for path in files_of(data_dir, source):
        values = outcome(partial(td.decode, path, backend=backend))
        if isinstance(values, str):
            continue  # REFUSED tells whether that is right
        if said := difference_from_pydicom(path, values):
            found[str(path.relative_to(data_dir))] = said
        else:
            same += 1
    assert_only(found, of_source(NOT_AS_PYDICOM, source))
    assert same


@pytest.mark.parametrize("form", ["deflate", "rle", "j2k"])
def test_forms_of_a_segmentation_are_the_same(data_dir: Path, backend: Backend, form: str) -> None:
    plain = td.decode(data_dir / _DATA / "liver.dcm", backend=backend)
    assert int(plain.sum()) == 107098  # which pydicom counts too
    other = td.decode(data_dir / _DATA / f"liver_{form}.dcm", backend=backend)
    assert_within(other, plain, 0)


def test_palettes_are_pydicom_s(data_dir: Path, backend: Backend) -> None:
    checked = []
    for path in files_of(data_dir, "pydicom-data"):
        ds: pydicom.Dataset = pydicom.dcmread(path, force=True)
        if ds.get("PhotometricInterpretation") != "PALETTE COLOR":
            continue
        ds, indices = by_pydicom(path)
        expected = apply_color_lut(indices, ds)[..., :3]
        frames = expected.reshape(-1, ds.Rows, ds.Columns, 3)
        volume = td.load(path, policy=POLICY, backend=backend)
        found = volume.data.reshape(-1, *volume.data.shape[-4:]).movedim(1, -1)[:, 0]
        # As arrays: there are millions.
        assert np.array_equal(found.numpy(), frames), path.name
        checked.append(path.name)
    assert len(checked) >= 2


def test_modality_lut_is_pydicom_s(data_dir: Path, backend: Backend) -> None:
    path = next(one for one in files_of(data_dir, "pydicom-data") if one.name == "mlut_18.dcm")
    ds = pydicom.dcmread(path)
    expected = apply_modality_lut(ds.pixel_array, ds)
    found = td.load(path, policy=POLICY, backend=backend).data
    assert np.array_equal(found.flatten().numpy(), expected.flatten())
