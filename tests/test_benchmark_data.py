"""The data that is measured with is what it says."""

from __future__ import annotations

import struct
import sys
from typing import TYPE_CHECKING

import imagecodecs
import numpy as np
import pydicom
import pytest
from pydicom.encaps import generate_fragments, parse_basic_offsets

import torchdicom as td
from benchmarks import datasets
from benchmarks.datasets import cache, codecs

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from helpers import Backend

pytestmark = pytest.mark.usefixtures("own_cache")

_SLICES, _SIZE = 3, 64
# imagecodecs writes HTJ2K since 2026.1, which needs Python 3.11.
_MISSING = {"htj2k"} if sys.version_info < (3, 11) else set()
_CT_SYNTAXES = [name for name in datasets.CT_SYNTAXES if name not in _MISSING]
_MAMMOGRAM_SYNTAXES = [name for name in datasets.MAMMOGRAM_SYNTAXES if name not in _MISSING]
_UNCOMPRESSED = ("native", "deflated")
_DECODERS: dict[str, Callable[[bytes], np.ndarray]] = {
    "jpeg_lossless": imagecodecs.jpeg8_decode,
    "jpeg_ls": imagecodecs.jpegls_decode,
    "jpeg_2000": imagecodecs.jpeg2k_decode,
    "htj2k": imagecodecs.jpeg2k_decode,  # OpenJPEG, where OpenJPH encoded
    "jpeg_12bit": imagecodecs.jpeg8_decode,
    "jpeg_8bit": imagecodecs.jpeg8_decode,
}
# Where a codestream keeps its bits a sample: after the marker, from its first byte.
_PRECISION_AT = {
    "jpeg_lossless": (b"\xff\xc3", 4),
    "jpeg_ls": (b"\xff\xf7", 4),
    "jpeg_12bit": (b"\xff\xc1", 4),
    "jpeg_8bit": (b"\xff\xc0", 4),
    "jpeg_2000": (b"\xff\x51", 40),
    "htj2k": (b"\xff\x51", 40),
}


def _codestreams(ds: pydicom.Dataset) -> list[bytes]:
    offsets = parse_basic_offsets(ds.PixelData)
    fragments = list(generate_fragments(ds.PixelData))[1:]  # behind the table
    # One fragment a frame, and the table says where: every reader finds it.
    sizes = [8 + len(fragment) for fragment in fragments]
    assert offsets == [sum(sizes[:k]) for k in range(len(sizes))]
    assert len(fragments) == int(ds.get("NumberOfFrames", 1))
    return fragments


def _stored(ds: pydicom.Dataset, name: str) -> np.ndarray:
    """Cells (frames, rows, columns), as signed as the header says."""
    kind = f"{'i' if ds.PixelRepresentation else 'u'}{ds.BitsAllocated // 8}"
    if name in _UNCOMPRESSED:
        cells = np.frombuffer(ds.PixelData, f"<{kind}").reshape(-1, ds.Rows, ds.Columns)
    elif name == "rle":
        cells = ds.pixel_array.reshape(-1, ds.Rows, ds.Columns)
    else:
        frames = [_DECODERS[name](stream) for stream in _codestreams(ds)]
        cells = np.stack(frames).astype(kind)
    return cells


def _slices(folder: Path) -> list[pydicom.Dataset]:
    found = [pydicom.dcmread(path) for path in folder.rglob("*.dcm")]
    return sorted(found, key=lambda ds: float(ds.ImagePositionPatient[2]))


@pytest.mark.parametrize("name", _CT_SYNTAXES)
def test_a_series_has_the_values_that_truth_tells(name: str) -> None:
    # The tolerance is that of the size that is measured: a small body has more edges.
    size = 512 if name in datasets.LOSSY else _SIZE
    folder = datasets.ct_series(_SLICES, size, name)
    slices = _slices(folder)
    found = np.concatenate(
        [_stored(ds, name) * float(ds.RescaleSlope) + float(ds.RescaleIntercept) for ds in slices]
    )
    truth = datasets.truth(folder)
    assert truth.dtype == np.float32
    assert truth.shape == found.shape == (_SLICES, size, size)
    assert truth.min() == -1024
    assert 500 < truth.max() < 3071
    off = np.abs(found - truth)
    mean, largest = datasets.LOSSY_TOLERANCE.get(name, (0.0, 0.0))
    assert off.mean() <= mean
    assert off.max() <= largest
    assert (off.max() > 0) == (name in datasets.LOSSY)


@pytest.mark.parametrize("name", _CT_SYNTAXES)
def test_the_header_of_a_slice_agrees_with_its_pixels(name: str) -> None:
    ds = _slices(datasets.ct_series(_SLICES, _SIZE, name))[0]
    assert ds.file_meta.TransferSyntaxUID == datasets.CT_SYNTAXES[name]
    bits, slope = {"jpeg_12bit": (12, 1), "jpeg_8bit": (8, 16)}.get(name, (16, 1))
    is_lossy = name in datasets.LOSSY
    assert (ds.BitsStored, ds.HighBit, ds.PixelRepresentation) == (bits, bits - 1, not is_lossy)
    assert (ds.RescaleSlope, ds.RescaleIntercept) == (slope, -1024)
    assert ds.LossyImageCompression == ("01" if is_lossy else "00")
    assert ("LossyImageCompressionRatio" in ds) == is_lossy
    if name in _PRECISION_AT:
        assert _precision(_codestreams(ds)[0], name) == (bits, name in {"jpeg_2000", "htj2k"})


def _precision(stream: bytes, name: str) -> tuple[int, bool]:
    """Bits a sample, and whether JPEG 2000 says that they are signed."""
    marker, at = _PRECISION_AT[name]
    (byte,) = struct.unpack_from("B", stream, stream.index(marker) + at)
    return ((byte & 0x7F) + 1, byte >= 0x80) if at == 40 else (byte, False)


@pytest.mark.parametrize("name", ["native", "jpeg_lossless", "jpeg_2000", "rle", "deflated"])
def test_a_series_loads(name: str, backend: Backend) -> None:
    folder = datasets.ct_series(_SLICES, _SIZE, name)
    volume = td.load(folder, backend=backend)
    assert np.array_equal(volume.data.numpy(), datasets.truth(folder))


@pytest.mark.parametrize("picture", ["CT", "MG"])
@pytest.mark.parametrize("name", [n for n in datasets.CODEC_SYNTAXES if n not in _MISSING])
def test_codec_frames_have_the_values_that_truth_tells(
    name: str, picture: codecs.Picture, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(codecs, "_SIZES", {"CT": (3, 64, 64), "MG": (1, 96, 80)})
    folder = datasets.codec_frames(name, picture)
    (path,) = folder.iterdir()
    ds = pydicom.dcmread(path)
    assert ds.file_meta.TransferSyntaxUID == datasets.CODEC_SYNTAXES[name]
    bits = 8 if name == "jpeg_8bit" else {"CT": 16, "MG": 12}[picture]
    assert (ds.BitsStored, ds.PixelRepresentation) == (bits, int(bits == 16))
    found, truth = _stored(ds, name), datasets.truth(folder)
    assert (found.shape, found.dtype) == (truth.shape, truth.dtype)
    within = 3 * datasets.CODEC_TOLERANCE[1] if name == "jpeg_8bit" else 0
    assert np.abs(found.astype(int) - truth).max() <= within


def test_names_say_nothing_about_the_order() -> None:
    folder = datasets.ct_series(20, 16)
    assert sorted(path.name for path in folder.iterdir()) == [f"IM{k:05d}.dcm" for k in range(20)]
    numbers = [pydicom.dcmread(path).InstanceNumber for path in sorted(folder.iterdir())]
    assert numbers != sorted(numbers)
    assert sorted(numbers) == list(range(1, 21))


@pytest.mark.parametrize("name", _CT_SYNTAXES)
def test_the_bytes_are_the_same_each_time(
    name: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    first = datasets.ct_series(_SLICES, _SIZE, name)
    monkeypatch.setattr(cache, "CACHE", tmp_path / "again")
    second = datasets.ct_series(_SLICES, _SIZE, name)
    assert first != second
    assert [path.name for path in sorted(first.iterdir())] == [
        path.name for path in sorted(second.iterdir())
    ]
    for path in first.iterdir():
        assert path.read_bytes() == (second / path.name).read_bytes()


def test_what_is_there_is_not_made_again() -> None:
    folder = datasets.ct_series(_SLICES, _SIZE)
    times = {path: path.stat().st_mtime_ns for path in folder.parent.rglob("*")}
    assert datasets.ct_series(_SLICES, _SIZE) == folder
    assert times == {path: path.stat().st_mtime_ns for path in folder.parent.rglob("*")}


def test_an_interrupted_folder_is_not_there() -> None:
    def fill(folder: Path) -> None:
        (folder / "IM00000.dcm").touch()
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        cache.made("series", fill)
    assert list(cache.CACHE.iterdir()) == []


@pytest.mark.parametrize("make", [datasets.ct_series, datasets.mammogram, datasets.enhanced_ct])
def test_an_unknown_syntax_is_refused(make: Callable[..., Path]) -> None:
    with pytest.raises(ValueError, match=r"'jpeg'.*native.*jpeg_2000"):
        make(syntax="jpeg")


@pytest.mark.parametrize("name", _MAMMOGRAM_SYNTAXES)
def test_a_mammogram_is_twelve_unsigned_bits(name: str) -> None:
    folder = datasets.mammogram(name, 96, 80)
    (path,) = folder.iterdir()
    ds = pydicom.dcmread(path)
    assert ds.file_meta.TransferSyntaxUID == datasets.MAMMOGRAM_SYNTAXES[name]
    assert (ds.BitsStored, ds.HighBit, ds.PixelRepresentation) == (12, 11, 0)
    assert "RescaleSlope" not in ds
    assert np.array_equal(_stored(ds, name), datasets.truth(folder))
    if name in _PRECISION_AT:
        assert _precision(_codestreams(ds)[0], name) == (12, False)


@pytest.mark.parametrize("name", [n for n in datasets.ENHANCED_SYNTAXES if n not in _MISSING])
def test_an_enhanced_image_has_its_frames_in_order(name: str) -> None:
    folder = datasets.enhanced_ct(name, _SLICES, _SIZE)
    (path,) = folder.iterdir()
    ds = pydicom.dcmread(path)
    assert ds.file_meta.TransferSyntaxUID == datasets.ENHANCED_SYNTAXES[name]
    (shared,) = ds.SharedFunctionalGroupsSequence
    (rescale,) = shared.PixelValueTransformationSequence
    found = _stored(ds, name) * float(rescale.RescaleSlope) + float(rescale.RescaleIntercept)
    assert np.array_equal(found, datasets.truth(folder))
    frames = ds.PerFrameFunctionalGroupsSequence
    heights = [frame.PlanePositionSequence[0].ImagePositionPatient[2] for frame in frames]
    assert heights == [0, 1.25, 2.5]
    indices = [frame.FrameContentSequence[0].DimensionIndexValues for frame in frames]
    assert indices == [[1, 1], [1, 2], [1, 3]]
    assert "ImagePositionPatient" not in ds


def test_a_tree_has_series_of_a_hundred() -> None:
    folder = datasets.header_tree(405, 16)
    headers = [pydicom.dcmread(path) for path in folder.rglob("*") if path.is_file()]
    keywords = ("SOPInstanceUID", "SeriesInstanceUID", "StudyInstanceUID", "PatientID")
    counts = [len({ds[keyword].value for ds in headers}) for keyword in keywords]
    assert counts == [405, 5, 2, 1]
    in_slice = set(_slices(datasets.ct_series(1, 16))[0].keys())
    assert all(set(ds.keys()) == in_slice for ds in headers)
