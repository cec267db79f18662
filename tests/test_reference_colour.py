"""The reference on colours: RGB out of whatever stands in a file, against literals."""

from __future__ import annotations

import struct
from typing import TYPE_CHECKING, Any

import imagecodecs
import numpy as np
import pytest
import torch

import torchdicom as td
from builders import BIG, EXPLICIT, JPEG, JPEG_2000, JPEG_LOSSLESS, JPEG_LS, RLE
from builders_frames import even, pack_bits, rle_header, segment
from builders_reference import (
    DEFLATED_FRAME,
    HTJ2K,
    JPEG_XL,
    RGB,
    form,
    framed,
    native,
    palette,
    words,
)
from compare import OFF_FLAT_COLOUR
from test_reference import load
from test_reference_forms import code_of, decode, deflated

if TYPE_CHECKING:
    from pathlib import Path

    from builders import Element, Syntax

# Two rows of two pixels.
RED = [1, 2, 3, 4]
GREEN = [50, 60, 70, 80]
BLUE = [200, 201, 202, 203]
PLANES = [[[[1, 2], [3, 4]], [[50, 60], [70, 80]], [[200, 201], [202, 203]]]]
BY_PIXEL = bytes(part for pixel in zip(RED, GREEN, BLUE, strict=True) for part in pixel)
BY_PLANE = bytes([*RED, *GREEN, *BLUE])

# Y, Cb and Cr of 8 bits, and what PS3.3 C.7.6.3.1.2 makes of them, by hand.
YBR = [(100, 90, 200), (250, 128, 255), (16, 128, 128), (3, 255, 0)]
OF_YBR = [(201, 62, 33), (255, 159, 250), (16, 16, 16), (0, 51, 228)]


def colors(*, photometric: str = "RGB", allocated: int = 8, **attributes: Any) -> dict[str, Any]:
    return {**form(2, 2, allocated), **RGB, "PhotometricInterpretation": photometric, **attributes}


def pixels_of(planes: torch.Tensor) -> list[tuple[int, ...]]:
    return [tuple(pixel) for pixel in planes.flatten(1).T.tolist()]


# --- samples as they stand


@pytest.mark.parametrize(
    ("planar", "value"), [(0, BY_PIXEL), (1, BY_PLANE)], ids=["by pixel", "by plane"]
)
def test_rgb_by_pixel_and_by_plane(planar: int, value: bytes) -> None:
    attributes = colors(PlanarConfiguration=planar)
    for data in (
        native(value, vr="OB", **attributes),
        native(np.frombuffer(value, "<u2").astype(">u2").tobytes(), BIG, **attributes),
        framed(DEFLATED_FRAME, deflated(value), **attributes),
    ):
        pixels = decode(data)
        assert (pixels.dtype, pixels.tolist()) == (torch.uint8, PLANES)
        assert torch.equal(decode(data, output="modality"), pixels)
        assert torch.equal(decode(data, output="real_world", dtype=torch.float32), pixels.float())


def test_rgb_of_sixteen_and_thirty_two_bits() -> None:
    value = words(1, 2, 65535, 4, 5, 6, 7, 8, 9, 10, 11, 12)
    wide = decode(native(value, **colors(allocated=16)))
    assert (wide.dtype, wide[0, :, 0, 0].tolist()) == (torch.int32, [1, 2, 65535])
    value = struct.pack("<12I", 2**32 - 1, *range(11))
    widest = decode(native(value, **colors(allocated=32)))
    assert (widest.dtype, widest[0, :, 0, 0].tolist()) == (torch.int64, [2**32 - 1, 0, 1])


def test_rle_of_colors() -> None:
    segments = [even(pack_bits(bytes(one))) for one in (RED, GREEN, BLUE)]
    frame = rle_header(segments) + b"".join(segments)
    # The planar configuration says nothing about segments.
    for planar in (0, 1):
        data = framed(RLE, frame, **colors(PlanarConfiguration=planar))
        assert decode(data).tolist() == PLANES
    wide = [bytes([high] * 4) for value in (0x0102, 0x0304, 0x0506) for high in divmod(value, 256)]
    packed = [even(pack_bits(one)) for one in wide]
    data = framed(RLE, rle_header(packed) + b"".join(packed), **colors(allocated=16))
    assert decode(data)[0, :, 0, 0].tolist() == [0x0102, 0x0304, 0x0506]


# --- luminance and chrominance


def test_ybr_full_is_rounded_half_up_and_clipped() -> None:
    data = native(bytes(np.array(YBR, np.uint8)), **colors(photometric="YBR_FULL"))
    assert pixels_of(decode(data)[0]) == OF_YBR


def test_ybr_full_of_twelve_bits() -> None:
    # 1.402 * (3000 - 2048) = 1334.7; 0.714136 * 952 = 679.86.
    attributes = colors(photometric="YBR_FULL", allocated=16, BitsStored=12, HighBit=11)
    value = words(*(1000, 2048, 3000) * 4)
    assert decode(native(value, **attributes))[0, :, 0, 0].tolist() == [2335, 320, 1000]


def test_two_pixels_share_their_chrominance() -> None:
    # Y0 Y1 Cb Cr.
    value = bytes([100, 250, 90, 200, 16, 3, 128, 128])
    data = native(value, vr="OB", **colors(photometric="YBR_FULL_422"))
    assert pixels_of(decode(data)[0]) == [(201, 62, 33), (255, 212, 183), (16,) * 3, (3,) * 3]
    odd = colors(photometric="YBR_FULL_422", Columns=3)
    assert code_of(native(bytes(12), **odd)) == ("invalid_value", "(0028,0011) Columns")
    planes = colors(photometric="YBR_FULL_422", PlanarConfiguration=1)
    found = code_of(native(bytes(8), **planes))
    assert found == ("invalid_value", "(0028,0006) PlanarConfiguration")


@pytest.mark.parametrize("photometric", ["YBR_FULL", "YBR_FULL_422"])
def test_lossless_codestreams_hold_what_the_header_says(photometric: str) -> None:
    cells = np.array(YBR, np.uint8).reshape(2, 2, 3)
    encoded = {
        JPEG_LS: imagecodecs.jpegls_encode(cells),
        JPEG_LOSSLESS: imagecodecs.jpeg8_encode(cells, lossless=True, colorspace="RGB"),
        JPEG_2000: imagecodecs.jpeg2k_encode(cells, codecformat="j2k", reversible=True, mct=False),
    }
    segments = [even(pack_bits(cells[..., k].tobytes())) for k in range(3)]
    encoded[RLE] = rle_header(segments) + b"".join(segments)
    for syntax, codestream in encoded.items():
        ybr = framed(syntax, bytes(codestream), **colors(photometric=photometric))
        assert pixels_of(decode(ybr)[0]) == OF_YBR, syntax.uid
        rgb = framed(syntax, bytes(codestream), **colors())
        assert pixels_of(decode(rgb)[0]) == YBR, syntax.uid


@pytest.mark.parametrize("photometric", ["RGB", "YBR_RCT", "YBR_FULL"])
def test_transformed_components_of_jpeg_2000_are_rgb(photometric: str) -> None:
    cells = np.frombuffer(BY_PIXEL, np.uint8).reshape(2, 2, 3)
    plain = imagecodecs.jpeg2k_encode(cells, codecformat="j2k", reversible=True, mct=True)
    high = imagecodecs.htj2k_encode(cells, reversible=True)
    boxed = imagecodecs.jpeg2k_encode(cells, codecformat="jp2", reversible=True, mct=True)
    for syntax, codestream in ((JPEG_2000, plain), (HTJ2K, high), (JPEG_2000, boxed)):
        data = framed(syntax, bytes(codestream), **colors(photometric=photometric))
        assert decode(data).tolist() == PLANES


def test_jpeg_xl_is_rgb() -> None:
    cells = np.frombuffer(BY_PIXEL, np.uint8).reshape(2, 2, 3)
    codestream = bytes(imagecodecs.jpegxl_encode(cells, lossless=True))
    for photometric in ("RGB", "YBR_FULL", "XYB"):
        data = framed(JPEG_XL, codestream, **colors(photometric=photometric))
        assert decode(data).tolist() == PLANES
    assert code_of(native(bytes(12), **colors(photometric="XYB")))[0] == "unsupported_photometric"


# --- what a lossy JPEG frame says of its colours

FLAT = np.zeros((16, 16, 3), np.uint8) + np.array([200, 100, 30], np.uint8)
CODED, WANTED = (122, 76, 184), (200, 100, 30)  # the same in luminance and chrominance
OF_LUMINANCE = bytes(imagecodecs.jpeg8_encode(FLAT, level=100))
OF_RGB = bytes(imagecodecs.jpeg8_encode(FLAT, level=100, colorspace="RGB", outcolorspace="RGB"))


def without(codestream: bytes, *markers: int) -> bytes:
    """A codestream that begins with one APP segment, without it; and others in its place."""
    length = int.from_bytes(codestream[4:6], "big")
    adobe = b"".join(
        segment(0xFFEE, b"Adobe" + bytes([0, 100, 0, 0, 0, 0, marker])) for marker in markers
    )
    return codestream[:2] + adobe + codestream[4 + length :]


@pytest.mark.parametrize(
    ("codestream", "photometric", "expected"),
    [
        (OF_LUMINANCE, "RGB", WANTED),  # JFIF
        (OF_LUMINANCE, "YBR_FULL_422", WANTED),
        (OF_RGB, "YBR_FULL_422", WANTED),  # APP14 with 0
        (without(OF_RGB), "YBR_FULL_422", WANTED),  # components R, G and B
        (without(OF_LUMINANCE), "YBR_FULL_422", WANTED),
        (without(OF_LUMINANCE), "RGB", CODED),
        (without(OF_LUMINANCE, 1), "RGB", WANTED),
        (without(OF_LUMINANCE, 0), "YBR_FULL_422", CODED),
        (without(OF_LUMINANCE, 2), "RGB", CODED),  # which is none of three components
    ],
    ids=["jfif", "jfif 422", "app14", "names", "422", "rgb", "app14 1", "app14 0", "app14 2"],
)
@pytest.mark.parametrize("reduce", [0, 1])
def test_jpeg(codestream: bytes, photometric: str, expected: tuple[int, ...], reduce: int) -> None:
    attributes = {**form(16, 16, 8), **RGB, "PhotometricInterpretation": photometric}
    pixels = decode(framed(JPEG, codestream, **attributes), reduce=reduce)
    assert pixels.shape == (1, 3, 16 >> reduce, 16 >> reduce)
    difference = pixels[0].flatten(1).int() - torch.tensor(expected)[:, None]
    assert difference.abs().max() <= OFF_FLAT_COLOUR


# --- palettes

INDICES = words(0, 1, 2, 3, 0xFFFF & -1, 9)


def shown(*elements: Element, syntax: Syntax = EXPLICIT, **attributes: Any) -> torch.Tensor:
    """Six pixels in a row through a palette."""
    options = {"PhotometricInterpretation": "PALETTE COLOR", "PixelRepresentation": 1}
    values = form(1, 6, 16) | options | attributes
    data = native(INDICES, syntax, extra=elements, **values)
    return decode(data, output="modality")


def test_palette_of_words_ends_where_it_ends() -> None:
    tables = [words(1000, 2000, 3000), words(1, 2, 3), words(65535, 0, 7)]
    rgb = shown(*palette(tables, 3, 1, 16))
    assert (rgb.dtype, rgb.shape) == (torch.int32, (1, 3, 1, 6))
    assert rgb[0, :, 0].tolist() == [
        [1000, 1000, 2000, 3000, 1000, 3000],
        [1, 1, 2, 3, 1, 3],
        [65535, 65535, 0, 7, 65535, 7],
    ]


@pytest.mark.parametrize(
    "tables",
    [[bytes([10, 20, 30, 0]), bytes([1, 2, 3]), bytes([255, 0, 7, 0])], [words(10, 20, 30)] * 3],
    ids=["two to a word", "one to a word"],
)
def test_palette_of_bytes(tables: list[bytes]) -> None:
    rgb = shown(*palette([*map(even, tables)], 3, -1, 8))
    assert rgb.dtype == torch.uint8
    # Indices 0, 1, 2, 3, -1 and 9; the first entry is for -1.
    assert rgb[0, 0, 0].tolist() == [20, 30, 30, 30, 10, 30]


def test_indices_stay_indices_when_stored() -> None:
    extra = palette([words(1, 2), words(3, 4), words(5, 6)], 2, 0, 16)
    attributes = form(1, 6, 16, PhotometricInterpretation="PALETTE COLOR")
    data = native(INDICES, extra=extra, **attributes)
    assert decode(data).tolist() == [[[0, 1, 2, 3, 65535, 9]]]
    found = code_of(data, reduce=1)
    assert found == ("unsupported_pixel_format", "(0028,0004) PhotometricInterpretation")


def test_segments_of_a_palette() -> None:
    # PS3.3 C.7.9.2: entries 10 and 20, a ramp of 3 up to 26, then both once more.
    segments = words(0, 2, 10, 20, 1, 3, 26, 2, 2, 0, 0)
    elements = palette([segments] * 3, 10, 0, 16, segmented=True)
    rgb = shown(*elements)[0, 0, 0].tolist()
    assert rgb[:4] == [10, 20, 22, 24]
    assert rgb[5] == 26  # the last of 10, 20, 22, 24, 26, 10, 20, 22, 24, 26
    # In bytes, and halves go to even: 0, 1.25, 2.5, 3.75, 5.
    narrow = even(bytes([0, 1, 0, 1, 4, 5, 2, 1, 0, 0, 0, 0]))
    elements = palette([narrow] * 3, 6, 0, 8, segmented=True)
    assert shown(*elements)[0, 0, 0].tolist()[:4] == [0, 1, 2, 4]


def bad_palettes() -> dict[str, tuple[list[Element], str, str]]:
    fine = words(1, 2)
    descriptors = palette([fine] * 3, 2, 0, 16)
    data, name = "RedPaletteColorLookupTableData", "RedPaletteColorLookupTableDescriptor"
    segmented = f"Segmented{data}"
    found = {
        "no descriptor": (descriptors[3:], "missing_element", name),
        "no data": (descriptors[:3], "missing_element", data),
        "bits": (palette([fine] * 3, 2, 0, 12), "invalid_value", name),
        "few": (palette([fine] * 3, 5, 0, 16), "invalid_value", data),
    }
    for what, words_ in {
        "ramp first": (1, 2, 5),
        "copy of a copy": (0, 1, 7, 2, 1, 6, 0),
        "kind": (3, 2, 5, 5),
        "no length": (0, 0),
        "cut": (0, 4, 1),
        "too few": (0, 1, 7),
        "too many": (0, 3, 1, 2, 3),
    }.items():
        elements = palette([words(*words_), fine, fine], 2, 0, 16, segmented=True)
        found[what] = (elements, "invalid_value", segmented)
    return found


@pytest.mark.parametrize(
    ("elements", "code", "element"), bad_palettes().values(), ids=bad_palettes()
)
def test_damaged_palettes(elements: list[Element], code: str, element: str) -> None:
    with pytest.raises(td.ParseError) as caught:
        shown(*elements)
    assert caught.value.code == code
    assert caught.value.element is not None
    assert caught.value.element.endswith(element)


# --- what is refused


@pytest.mark.parametrize(
    ("attributes", "code", "element"),
    [
        ({"PhotometricInterpretation": "RGB"}, "unsupported_photometric", "Photometric"),
        ({**RGB, "PhotometricInterpretation": None}, "unsupported_photometric", "Photometric"),
        (
            {**RGB, "PhotometricInterpretation": "YBR_PARTIAL_422"},
            "unsupported_photometric",
            "Photometric",
        ),
        ({**RGB, "SamplesPerPixel": 4}, "unsupported_photometric", "(0028,0002)"),
        ({**RGB, "PlanarConfiguration": 2}, "invalid_value", "(0028,0006)"),
        (
            {**RGB, "PhotometricInterpretation": "YBR_FULL", "PixelRepresentation": 1},
            "unsupported_pixel_format",
            "(0028,0103)",
        ),
    ],
    ids=["one sample", "no interpretation", "partial", "four samples", "planes", "signed"],
)
def test_what_is_refused(attributes: dict[str, Any], code: str, element: str) -> None:
    found, place = code_of(native(bytes(16), **(form(2, 2, 8) | attributes)))
    assert found == code
    assert place is not None
    assert element in place


# --- volumes


def write_colors(folder: Path, **attributes: Any) -> None:
    for i in range(2):
        value = bytes(np.frombuffer(BY_PIXEL, np.uint8) + i)
        position: dict[str, Any] = {
            "ImagePositionPatient": (0, 0, 2.5 * i),
            "SOPInstanceUID": f"1.2.3.{i}",
        }
        options = colors(InstanceNumber=i, **position, **attributes)
        (folder / f"{i}.dcm").write_bytes(native(value, vr="OB", **options))


def test_volume_of_colors(tmp_path: Path) -> None:
    write_colors(tmp_path, PixelPaddingValue=1)
    volume = load(tmp_path, mask=True)
    assert (volume.dims, volume.data.dtype) == (("c", "z", "y", "x"), torch.uint8)
    expected = torch.tensor(PLANES[0])
    assert volume.data.tolist() == torch.stack([expected, expected + 1], dim=1).tolist()
    assert volume.data.is_contiguous()
    assert (volume.units, volume.provenance[1].slope, volume.spacing_mm[0]) == (None, 1, 2.5)
    # Samples of colours are never padding.
    assert volume.valid_mask.shape == (2, 2, 2)
    assert volume.valid_mask.all()
    part = load(tmp_path, slices=[1], region=(0, 1, 0, 2), dtype=torch.float64)
    assert part.data.tolist() == [[[[2, 3]]], [[[51, 61]]], [[[201, 202]]]]
    out = torch.zeros((3, 2, 1, 1), dtype=torch.uint8)
    small = load(tmp_path, reduce=1, out=out)
    assert small.data is out
    assert out.flatten().tolist() == [2, 4, 65, 66, 202, 202]  # 2.5, 3.5, 65, 66, 201.5, 202.5


def test_cine_and_image_of_colors() -> None:
    absent: dict[str, Any] = {
        "ImagePositionPatient": None,
        "ImageOrientationPatient": None,
        "Modality": "US",
    }
    loop = native(BY_PIXEL + BY_PIXEL[::-1], vr="OB", **colors(NumberOfFrames=2, **absent))
    volume = load(loop, mask=True)
    assert volume.dims == ("t", "c", "z", "y", "x")
    assert volume.data.shape == (2, 3, 1, 2, 2)
    assert volume.data[0, :, 0].tolist() == PLANES[0]
    assert volume.data[1, :, 0, 0, 0].tolist() == [203, 80, 4]
    assert volume.valid_mask.shape == (2, 1, 2, 2)
    image = load(native(BY_PIXEL, vr="OB", **colors(**absent)))
    assert (image.dims, image.affine) == (("c", "z", "y", "x"), None)
    assert image.data[:, 0].tolist() == PLANES[0]


def test_palette_of_a_volume_is_looked_up() -> None:
    table = words(0, 500, 1000)
    attributes = form(1, 3, 8, PhotometricInterpretation="PALETTE COLOR", PixelPaddingValue=2)
    data = native(bytes([0, 1, 2]), extra=palette([table] * 3, 3, 0, 16), **attributes)
    volume = load(data, mask=True)
    assert volume.data[1, 0, 0].tolist() == [0, 500, 1000]
    assert volume.valid_mask[0, 0].tolist() == [True, True, False]
    assert load(data, output="stored").dims == ("z", "y", "x")
