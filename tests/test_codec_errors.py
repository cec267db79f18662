"""`codec=`, and codestreams that are cut off, damaged, or not what the header says."""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING, Any

import numpy as np
import pytest
import torch

import torchdicom as td
from builders import JPEG, JPEG_2000, JPEG_LOSSLESS, JPEG_LS, RLE, Syntax, ct_slice
from builders_encoded import (
    DEFLATED_FRAME,
    HTJ2K,
    JXL,
    LOSSLESS,
    colour_picture,
    encoded_file,
    jpeg,
    lossless,
    picture,
)
from builders_frames import even
from compare import OFF_THE_ORIGINAL
from helpers import Backend, expect_error, syntax_id
from real_files import outcome

if TYPE_CHECKING:
    from pathlib import Path

    from builders import Cells

ROWS, COLUMNS = 48, 64
SYNTAXES = [*LOSSLESS, JPEG]
# These hold nothing but pixels: they know neither rows nor columns.
BARE = [RLE, DEFLATED_FRAME]
_BROKEN = {"invalid_codestream", "decoder_failed", "codestream_mismatch", "truncated_pixels"}
_BROKEN |= {"invalid_deflate", "limit_ratio"}


def stream_of(cells: Cells, syntax: Syntax) -> bytes:
    return jpeg(cells) if syntax == JPEG else even(LOSSLESS[syntax](cells, 8))


def gray() -> Cells:
    return picture(ROWS, COLUMNS, 8)


@pytest.mark.parametrize("syntax", SYNTAXES, ids=syntax_id)
@pytest.mark.parametrize("kept", [0.0, 0.1, 0.5, 0.9])
def test_cut_off(tmp_path: Path, backend: Backend, syntax: Syntax, kept: float) -> None:
    cells = gray()
    stream = stream_of(cells, syntax)
    short = stream[: int(len(stream) * kept) // 2 * 2]
    path = tmp_path / "short.dcm"
    path.write_bytes(encoded_file([short], cells, syntax, bits=8))
    with pytest.raises(td.DicomError) as caught:
        td.decode(path, backend=backend)
    assert caught.value.code in _BROKEN
    assert caught.value.path == str(path)


@pytest.mark.parametrize("syntax", SYNTAXES, ids=syntax_id)
@pytest.mark.parametrize("content", ["zeros", "ones", "noise"])
def test_no_codestream(backend: Backend, syntax: Syntax, content: str) -> None:
    # 7 and 255 are no kinds of deflate blocks, and no counts of RLE segments.
    noise = bytes([7, *np.random.default_rng(3).integers(0, 256, 499).astype(np.uint8)])
    stream = {"zeros": bytes(500), "ones": b"\xff" * 500, "noise": noise}[content]
    with pytest.raises(td.DicomError) as caught:
        td.decode(encoded_file([stream], gray(), syntax, bits=8), backend=backend)
    assert caught.value.code in _BROKEN


@pytest.mark.parametrize("syntax", [s for s in SYNTAXES if s not in BARE], ids=syntax_id)
@pytest.mark.parametrize("form", [{"Rows": 47}, {"Columns": 65}, {"Rows": 64, "Columns": 48}])
def test_other_size_than_the_header_s(
    backend: Backend, syntax: Syntax, form: dict[str, Any]
) -> None:
    cells = gray()
    data = encoded_file([stream_of(cells, syntax)], cells, syntax, bits=8, **form)
    with expect_error("codestream_mismatch"):
        td.decode(data, backend=backend)


@pytest.mark.parametrize("syntax", BARE, ids=syntax_id)
def test_more_pixels_than_there_are_bytes_for(backend: Backend, syntax: Syntax) -> None:
    cells = gray()
    data = encoded_file([stream_of(cells, syntax)], cells, syntax, bits=8, Rows=ROWS + 2)
    with pytest.raises(td.DicomError) as caught:
        td.decode(data, backend=backend)
    assert caught.value.code in _BROKEN


@pytest.mark.parametrize("syntax", SYNTAXES, ids=syntax_id)
def test_other_components_than_the_header_s(backend: Backend, syntax: Syntax) -> None:
    colour = colour_picture(ROWS, COLUMNS)
    for coded, told in [(colour, gray()), (gray(), colour)]:
        data = encoded_file([stream_of(coded, syntax)], told, syntax, bits=8)
        with pytest.raises(td.DicomError) as caught:
            td.decode(data, backend=backend)
        if syntax not in BARE:
            assert caught.value.code == "codestream_mismatch"


@pytest.mark.parametrize("syntax", [JPEG_LOSSLESS, JPEG_LS, JPEG_2000, HTJ2K, JXL], ids=syntax_id)
def test_more_bits_than_are_allocated(backend: Backend, syntax: Syntax) -> None:
    cells = picture(ROWS, COLUMNS, 16)
    stream = LOSSLESS[syntax](cells, 16)
    data = encoded_file([stream], gray(), syntax, bits=8)
    with expect_error("codestream_mismatch"):
        td.decode(data, backend=backend)


@pytest.mark.parametrize("syntax", SYNTAXES, ids=syntax_id)
def test_damage_gives_values_or_an_error_of_ours(backend: Backend, syntax: Syntax) -> None:
    cells = picture(16, 24, 8)
    stream = stream_of(cells, syntax)
    random = np.random.default_rng(7)
    for _ in range(40):
        broken = bytearray(stream)
        for at in random.integers(0, len(broken), 2):
            broken[at] = random.integers(0, 256)
        data = encoded_file([bytes(broken)], cells, syntax, bits=8)
        found = outcome(partial(td.decode, data, backend=backend))
        if isinstance(found, str):
            assert found in _BROKEN | {"unsupported_pixel_format", "limit_rows"}
        else:
            assert found.shape == (1, 16, 24)


def test_damage_in_one_of_several_frames_names_no_other(backend: Backend) -> None:
    cells = gray()
    good = stream_of(cells, JPEG_LS)
    data = encoded_file([good, good[:40], good], cells, JPEG_LS, bits=8, table=None)
    assert td.decode(data, frames=[0, 2], backend=backend).tolist() == [cells.tolist()] * 2
    with pytest.raises(td.DicomError):
        td.decode(data, frames=[1], backend=backend)


NAMES = {name for row in td.codecs() for name in row.codecs}


@pytest.mark.parametrize("syntax", SYNTAXES, ids=syntax_id)
def test_every_codec_of_a_syntax_gives_its_values(syntax: Syntax) -> None:
    cells = gray() // 2
    data = encoded_file([stream_of(cells, syntax)], cells, syntax, bits=8)
    (row,) = [one for one in td.codecs() if one.transfer_syntax_uid == syntax.uid]
    assert row.codecs
    for name in row.codecs:
        found = td.decode(data, dtype=torch.int32, codec=name)[0].numpy()
        assert np.abs(found - cells.astype(int)).max() <= (
            OFF_THE_ORIGINAL if syntax == JPEG else 0
        )


@pytest.mark.parametrize("syntax", SYNTAXES, ids=syntax_id)
def test_codec_of_another_syntax_is_refused(syntax: Syntax) -> None:
    data = encoded_file([stream_of(gray(), syntax)], gray(), syntax, bits=8)
    (row,) = [one for one in td.codecs() if one.transfer_syntax_uid == syntax.uid]
    others = NAMES - set(row.codecs)
    assert others
    for name in sorted(others):
        with expect_error("unsupported_transfer_syntax", match=name):
            td.decode(data, codec=name)
        with expect_error("unsupported_transfer_syntax", match=name):
            td.load(data, codec=name)


@pytest.mark.parametrize("bits", range(2, 8))
def test_gdcm_is_not_given_narrow_lossless_jpeg(bits: int) -> None:
    # It would end the process.
    cells = picture(9, 8, bits)
    data = encoded_file([lossless(cells, bits)], cells, JPEG_LOSSLESS, bits=bits)
    assert td.decode(data).tolist() == [cells.tolist()]
    with expect_error("unsupported_transfer_syntax", match="gdcm"):
        td.decode(data, codec="gdcm")


def test_native_pixels_have_no_codec() -> None:
    with expect_error("unsupported_transfer_syntax"):
        td.decode(ct_slice(), codec="gdcm")


def test_unknown_codec_lists_those_that_there_are() -> None:
    wrong: Any = "nobody"
    with pytest.raises(ValueError, match=r"gdcm.*nobody"):
        td.decode(ct_slice(), codec=wrong)


def test_the_reference_backend_has_one_codec_a_syntax() -> None:
    data = encoded_file([stream_of(gray(), JPEG_LS)], gray(), JPEG_LS, bits=8)
    with pytest.raises(ValueError, match="one codec"):
        td.decode(data, codec="gdcm", backend="reference")
