"""Every compressed syntax, in the forms that PS3.5 lets an encoder choose between."""

from __future__ import annotations

import io
import itertools
from typing import TYPE_CHECKING, Any

import imagecodecs
import numpy as np
import pytest
import torch
from PIL import Image

import torchdicom as td
from builders import ENCAPSULATED, JPEG, JPEG_2000, JPEG_LOSSLESS, JPEG_LS, RLE, Cells, Syntax
from builders_encoded import (
    DEFLATED_FRAME,
    HTJ2K,
    HTJ2K_RPCL,
    JPEG_EXTENDED,
    JPEG_LOSSLESS_ANY,
    JPEG_LS_NEAR,
    JPEG_PROGRESSIVE,
    JXL,
    JXL_FROM_JPEG,
    JXL_LOSSLESS,
    KNOWS_SIGN,
    LOSSLESS,
    Interleave,
    colour_picture,
    encoded_file,
    htj2k,
    jpeg,
    jpeg2000,
    jpegls,
    jpegxl,
    lossless,
    patches,
    picture,
    with_restarts,
)
from builders_frames import even, extended_table
from compare import OFF_THE_ORIGINAL, assert_within, tolerance
from helpers import Backend, syntax_id

if TYPE_CHECKING:
    from collections.abc import Sequence

ROWS, COLUMNS = 19, 26


def coded(cells: Cells, syntax: Syntax, bits: int) -> bytes:
    """A lossless frame; codestreams that know no sign have two's complement in BitsStored."""
    if cells.dtype.kind == "i" and syntax not in KNOWS_SIGN | {RLE, DEFLATED_FRAME}:
        unsigned = f"u{cells.dtype.itemsize}"
        cells = (cells.astype(np.int32) & ((1 << bits) - 1)).astype(unsigned)
    return LOSSLESS[syntax](cells, bits)


def decode(data: bytes, backend: Backend, **options: Any) -> Cells:
    """Stored values as numbers that hold any of them."""
    cells: Cells = td.decode(data, dtype=torch.int32, backend=backend, **options).numpy()
    return cells


@pytest.mark.parametrize("signed", [False, True], ids=["unsigned", "signed"])
@pytest.mark.parametrize("bits", [8, 10, 12, 16])
@pytest.mark.parametrize("syntax", LOSSLESS, ids=syntax_id)
def test_gray_values_come_back(
    backend: Backend, syntax: Syntax, bits: int, *, signed: bool
) -> None:
    cells = picture(ROWS, COLUMNS, bits, signed=signed)
    data = encoded_file([coded(cells, syntax, bits)], cells, syntax, bits=bits)
    assert decode(data, backend).tolist() == [cells.tolist()]


# Codecs of the syntax that write more than 8 bits of colour here.
DEEP_COLOUR = [RLE, DEFLATED_FRAME, JPEG_LOSSLESS, JPEG_LS, JPEG_2000, JXL_LOSSLESS]


@pytest.mark.parametrize(
    ("syntax", "bits"),
    [*((syntax, 8) for syntax in LOSSLESS), *((syntax, 16) for syntax in DEEP_COLOUR)],
    ids=lambda value: syntax_id(value) if isinstance(value, Syntax) else str(value),
)
def test_colour_values_come_back(backend: Backend, syntax: Syntax, bits: int) -> None:
    cells = colour_picture(ROWS, COLUMNS, bits)
    data = encoded_file([coded(cells, syntax, bits)], cells, syntax, bits=bits)
    found = td.decode(data, backend=backend)
    assert found.dtype == (torch.uint8 if bits == 8 else torch.int32)
    assert found.tolist() == [cells.transpose(2, 0, 1).tolist()]


def frames_of(syntax: Syntax, count: int) -> tuple[list[bytes], list[Cells]]:
    cells = [picture(ROWS, COLUMNS, 12, seed=k) for k in range(count)]
    if syntax == ENCAPSULATED:
        return [one.tobytes() for one in cells], cells
    return [even(coded(one, syntax, 12)) for one in cells], cells


def in_fragments(frame: bytes, count: int) -> list[bytes]:
    """Cut into so many, each of an even length."""
    step = len(frame) // count // 2 * 2
    cuts = [*range(0, step * count, step), len(frame)]
    return [frame[a:b] for a, b in itertools.pairwise(cuts)]


MANY = [*LOSSLESS, ENCAPSULATED]


@pytest.mark.parametrize("syntax", MANY, ids=syntax_id)
def test_one_frame_in_several_fragments(backend: Backend, syntax: Syntax) -> None:
    (frame,), (cells,) = frames_of(syntax, 1)
    data = encoded_file([in_fragments(frame, 3)], cells, syntax, bits=12)
    assert decode(data, backend).tolist() == [cells.tolist()]


@pytest.mark.parametrize("syntax", MANY, ids=syntax_id)
@pytest.mark.parametrize("table", ["empty", "basic", "basic, fragments", "extended"])
def test_several_frames(backend: Backend, syntax: Syntax, table: str) -> None:
    frames, cells = frames_of(syntax, 3)
    parts = [in_fragments(one, 2) if "fragments" in table else [one] for one in frames]
    extra = extended_table(parts) if table == "extended" else ()
    basic: Sequence[int] | None = None if "basic" in table else ()
    data = encoded_file(parts, cells[0], syntax, bits=12, table=basic, extra=extra)
    assert decode(data, backend).tolist() == [one.tolist() for one in cells]
    assert decode(data, backend, frames=[2, 0]).tolist() == [cells[2].tolist(), cells[0].tolist()]


@pytest.mark.parametrize("tables", ["flat", "deep"])
@pytest.mark.parametrize("restart_rows", [0, 1, 4])
@pytest.mark.parametrize("predictor", range(1, 8))
def test_lossless_jpeg_predictors(
    backend: Backend, predictor: int, restart_rows: int, tables: str
) -> None:
    for bits in (8, 12, 16):
        cells = picture(ROWS, COLUMNS, bits)
        form = {"predictor": predictor, "restart_rows": restart_rows, "tables": tables}
        stream = lossless(cells, bits, **form)
        data = encoded_file([stream], cells, JPEG_LOSSLESS_ANY, bits=bits)
        assert decode(data, backend).tolist() == [cells.tolist()]


@pytest.mark.parametrize("shift", [1, 4, 7])
def test_lossless_jpeg_point_transform(backend: Backend, shift: int) -> None:
    cells = picture(ROWS, COLUMNS, 12)
    stream = lossless(cells, 12, point_transform=shift, predictor=4)
    data = encoded_file([stream], cells, JPEG_LOSSLESS_ANY, bits=12)
    assert decode(data, backend).tolist() == [(cells >> shift << shift).tolist()]


def test_lossless_jpeg_difference_of_half_the_range(backend: Backend) -> None:
    # 32768 is the one difference with a category but without bits (ISO 10918-1 Table H.2).
    cells = np.array([[0, 32768, 0, 65535], [32768, 0, 32768, 1]], np.uint16)
    data = encoded_file([lossless(cells, 16)], cells, JPEG_LOSSLESS, bits=16)
    assert decode(data, backend).tolist() == [cells.tolist()]


@pytest.mark.parametrize("restart_rows", [0, 2])
@pytest.mark.parametrize("interleaved", [True, False], ids=["one scan", "three scans"])
def test_lossless_jpeg_scans(backend: Backend, restart_rows: int, *, interleaved: bool) -> None:
    cells = colour_picture(ROWS, COLUMNS)
    form = {"interleaved": interleaved, "restart_rows": restart_rows, "predictor": 6}
    stream = lossless(cells, 8, **form)
    data = encoded_file([stream], cells, JPEG_LOSSLESS_ANY, bits=8)
    assert decode(data, backend).tolist() == [cells.transpose(2, 0, 1).tolist()]


@pytest.mark.parametrize("interleave", [0, 1, 2], ids=["plane", "line", "sample"])
@pytest.mark.parametrize("bits", [8, 12, 16])
def test_jpeg_ls_interleaves(backend: Backend, interleave: Interleave, bits: int) -> None:
    cells = colour_picture(ROWS, COLUMNS, bits)
    stream = jpegls(cells, bits, interleave=interleave)
    data = encoded_file([stream], cells, JPEG_LS, bits=bits)
    assert decode(data, backend).tolist() == [cells.transpose(2, 0, 1).tolist()]


@pytest.mark.parametrize("interleave", [0, 1, 2], ids=["plane", "line", "sample"])
@pytest.mark.parametrize("near", [1, 3, 10])
def test_near_lossless_jpeg_ls(backend: Backend, near: int, interleave: Interleave) -> None:
    cells = colour_picture(ROWS, COLUMNS)
    stream = jpegls(cells, 8, near=near, interleave=interleave)
    found = decode(encoded_file([stream], cells, JPEG_LS_NEAR, bits=8), backend)[0]
    expected = cells.transpose(2, 0, 1).astype(int)
    assert 0 < np.abs(found - expected).max() <= near
    # The standard defines each value: another decoder has to give the same.
    other = imagecodecs.jpegls_decode(stream)
    assert found.tolist() == other.transpose(2, 0, 1).tolist()


@pytest.mark.parametrize("bits", [8, 12, 16])
@pytest.mark.parametrize("lines", [1, 5])
def test_jpeg_ls_restart_intervals(backend: Backend, bits: int, lines: int) -> None:
    cells = picture(ROWS, COLUMNS, bits)
    bands = [jpegls(cells[at : at + lines], bits) for at in range(0, ROWS, lines)]
    data = encoded_file([with_restarts(bands, lines)], cells, JPEG_LS, bits=bits)
    assert decode(data, backend).tolist() == [cells.tolist()]


@pytest.mark.parametrize("interleave", [1, 2], ids=["line", "sample"])
def test_jpeg_ls_restart_intervals_of_colour(backend: Backend, interleave: Interleave) -> None:
    cells = colour_picture(ROWS, COLUMNS)
    bands = [jpegls(cells[at : at + 4], 8, interleave=interleave) for at in range(0, ROWS, 4)]
    data = encoded_file([with_restarts(bands, 4)], cells, JPEG_LS, bits=8)
    assert decode(data, backend).tolist() == [cells.transpose(2, 0, 1).tolist()]


@pytest.mark.parametrize("codecformat", ["j2k", "jp2"])
@pytest.mark.parametrize("bits", [8, 12, 16])
def test_jpeg_2000_in_boxes(backend: Backend, codecformat: str, bits: int) -> None:
    cells = picture(ROWS, COLUMNS, bits)
    stream = jpeg2000(cells, bits, codecformat=codecformat)
    data = encoded_file([stream], cells, JPEG_2000, bits=bits)
    assert decode(data, backend).tolist() == [cells.tolist()]


@pytest.mark.parametrize("resolutions", [1, 3, 6])
@pytest.mark.parametrize("syntax", [JPEG_2000, HTJ2K, HTJ2K_RPCL], ids=syntax_id)
def test_jpeg_2000_levels(backend: Backend, syntax: Syntax, resolutions: int) -> None:
    cells = picture(48, 80, 12)
    encode = jpeg2000 if syntax == JPEG_2000 else htj2k
    data = encoded_file([encode(cells, 12, resolutions=resolutions)], cells, syntax, bits=12)
    assert decode(data, backend).tolist() == [cells.tolist()]


@pytest.mark.parametrize("bits", [8, 12])
def test_htj2k_tiles(backend: Backend, bits: int) -> None:
    cells = picture(48, 80, bits)
    data = encoded_file([htj2k(cells, bits, tile=(16, 32))], cells, HTJ2K, bits=bits)
    assert decode(data, backend).tolist() == [cells.tolist()]


def test_jpeg_2000_tiles(backend: Backend) -> None:
    for cells in (picture(48, 80, 8), colour_picture(48, 80)):
        file = io.BytesIO()
        options = {"tile_size": (32, 16), "num_resolutions": 3, "no_jp2": True}
        Image.fromarray(cells).save(file, "JPEG2000", irreversible=False, **options)
        data = encoded_file([even(file.getvalue())], cells, JPEG_2000, bits=8)
        planes = cells if cells.ndim == 2 else cells.transpose(2, 0, 1)
        assert decode(data, backend).tolist() == [planes.tolist()]


@pytest.mark.parametrize("mct", [True, False], ids=["transformed", "plain"])
def test_jpeg_2000_colour_transform(backend: Backend, *, mct: bool) -> None:
    cells = colour_picture(ROWS, COLUMNS)
    stream = jpeg2000(cells, 8, mct=mct)
    photometric = "YBR_RCT" if mct else "RGB"
    data = encoded_file([stream], cells, JPEG_2000, bits=8, PhotometricInterpretation=photometric)
    assert decode(data, backend).tolist() == [cells.transpose(2, 0, 1).tolist()]


@pytest.mark.parametrize("container", [False, True], ids=["bare", "boxes"])
@pytest.mark.parametrize("bits", [8, 10, 12, 16])
def test_jpeg_xl(backend: Backend, bits: int, *, container: bool) -> None:
    for cells in (picture(ROWS, COLUMNS, bits), colour_picture(ROWS, COLUMNS, bits)):
        stream = jpegxl(cells, bits, container=container)
        data = encoded_file([stream], cells, JXL, bits=bits)
        planes = cells if cells.ndim == 2 else cells.transpose(2, 0, 1)
        assert decode(data, backend).tolist() == [planes.tolist()]


def test_jpeg_xl_made_from_jpeg(backend: Backend) -> None:
    # Colours that are not near the ends: libjxl cuts off after the conversion alone.
    off = tolerance(JXL_FROM_JPEG.uid, 3)
    for cells in (picture(40, 48, 8), patches()):
        original = imagecodecs.jpeg8_encode(cells, 95, subsampling="444")
        stream = bytes(imagecodecs.jpegxl_encode_jpeg(original))
        data = encoded_file([stream], cells, JXL_FROM_JPEG, bits=8)
        expected = np.atleast_3d(imagecodecs.jpeg8_decode(original)).transpose(2, 0, 1)
        found = decode(data, backend)
        # Each library has an inverse DCT and a colour conversion of its own.
        assert np.abs(found.reshape(expected.shape) - expected.astype(int)).max() <= off


@pytest.mark.parametrize(("syntax", "bits"), [(JPEG, 8), (JPEG_EXTENDED, 8), (JPEG_EXTENDED, 12)])
def test_sequential_jpeg(backend: Backend, syntax: Syntax, bits: int) -> None:
    cells = picture(ROWS, COLUMNS, bits) // 2  # steps that 98 of 100 keeps within a few units
    stream = jpeg(cells, bits)
    found = td.decode(
        encoded_file([stream], cells, syntax, bits=bits), dtype=torch.int32, backend=backend
    )
    assert_within(found[0], torch.from_numpy(cells.astype(np.int32)), OFF_THE_ORIGINAL)


def test_eight_bits_of_jpeg_in_cells_of_sixteen(backend: Backend) -> None:
    cells = picture(ROWS, COLUMNS, 8) // 2
    data = encoded_file([jpeg(cells)], cells.astype(np.uint16), JPEG, bits=8)
    assert np.abs(decode(data, backend)[0] - cells.astype(int)).max() <= OFF_THE_ORIGINAL


def test_progressive_jpeg(backend: Backend) -> None:
    cells = picture(ROWS, COLUMNS, 8) // 2
    file = io.BytesIO()
    Image.fromarray(cells).save(file, "JPEG", quality=98, progressive=True)
    assert b"\xff\xc2" in file.getvalue()  # SOF2: progressive
    data = encoded_file([even(file.getvalue())], cells, JPEG_PROGRESSIVE, bits=8)
    assert np.abs(decode(data, backend)[0] - cells.astype(int)).max() <= OFF_THE_ORIGINAL


def test_jpeg_restart_intervals(backend: Backend) -> None:
    cells = picture(40, 48, 8) // 2
    bands = [jpeg(cells[at : at + 8]) for at in range(0, 40, 8)]
    data = encoded_file([with_restarts(bands, 48 // 8)], cells, JPEG, bits=8)
    assert np.abs(decode(data, backend)[0] - cells.astype(int)).max() <= OFF_THE_ORIGINAL


@pytest.mark.parametrize("planar", [0, 1])
@pytest.mark.parametrize("bits", [8, 16])
def test_uncompressed_frames_in_items(backend: Backend, bits: int, planar: int) -> None:
    cells = colour_picture(ROWS, COLUMNS, bits)
    raw = cells.transpose(2, 0, 1).tobytes() if planar else cells.tobytes()
    data = encoded_file([even(raw)] * 2, cells, ENCAPSULATED, bits=bits, PlanarConfiguration=planar)
    assert decode(data, backend).tolist() == [cells.transpose(2, 0, 1).tolist()] * 2


@pytest.mark.parametrize("syntax", [RLE, DEFLATED_FRAME], ids=syntax_id)
@pytest.mark.parametrize("signed", [False, True], ids=["unsigned", "signed"])
def test_cells_of_32_bits(backend: Backend, syntax: Syntax, *, signed: bool) -> None:
    cells = (np.arange(ROWS * COLUMNS, dtype=np.int64) * 8_900_000).reshape(ROWS, COLUMNS)
    cells = (cells - (1 << 31 if signed else 0)).astype(np.int32 if signed else np.uint32)
    data = encoded_file([LOSSLESS[syntax](cells, 32)], cells, syntax, bits=32)
    found = td.decode(data, backend=backend)
    assert found.dtype == (torch.int32 if signed else torch.int64)
    assert found.tolist() == [cells.tolist()]


@pytest.mark.parametrize("syntax", [*LOSSLESS, JPEG, JPEG_EXTENDED], ids=syntax_id)
def test_volumes_of_every_syntax(tmp_path: Any, backend: Backend, syntax: Syntax) -> None:
    """Three slices to modality values, intercept -1024."""
    stack = [picture(ROWS, COLUMNS, 8, seed=k) // 2 for k in range(3)]
    for k, cells in enumerate(stack):
        stream = LOSSLESS[syntax](cells, 8) if syntax in LOSSLESS else jpeg(cells)
        position: dict[str, Any] = {
            "ImagePositionPatient": (0, 0, k),
            "SOPInstanceUID": f"1.2.3.4.{k + 1}",
        }
        data = encoded_file([stream], cells, syntax, bits=8, InstanceNumber=k + 1, **position)
        (tmp_path / f"{k}.dcm").write_bytes(data)
    volume = td.load(tmp_path, backend=backend)
    expected = torch.from_numpy(np.stack(stack).astype(np.float32)) - 1024
    assert_within(volume.data, expected, 0 if syntax in LOSSLESS else 3)
