"""Whatever is finished, the two backends give the same bits."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Any

import imagecodecs
import numpy as np
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st

import torchdicom as td
from builders import JPEG_2000, JPEG_LS, RLE, ct_slice
from builders_forms import (
    COLOUR,
    float_file,
    modality_lut,
    native_file,
    packed_12_bits,
    packed_bits,
    palette,
    real_world,
    real_world_item,
    voi_lut,
    voi_luts,
    with_junk,
    ybr_422,
)
from builders_frames import encapsulated, rle_frame
from compare import assert_same_bits, assert_volumes_equal
from test_finish import decode, load
from torchdicom._arguments import load_options
from torchdicom._finish import Finish
from torchdicom._series import load_checked

if TYPE_CHECKING:
    from pathlib import Path

    from builders import Cells

RANDOM = np.random.default_rng(11)
SHAPE = (23, 34)
WORDS = RANDOM.integers(-2000, 2000, SHAPE, np.int16)
BYTES = RANDOM.integers(0, 256, SHAPE, np.uint8)
RESCALED: dict[str, Any] = {"RescaleSlope": "1.7", "RescaleIntercept": "-31.3"}
SHADED: dict[str, Any] = {"WindowCenter": "-12.5", "WindowWidth": "1234.5"}


def floats(dtype: str) -> Cells:
    """Whatever a double may be."""
    values = RANDOM.normal(0, 500, SHAPE)
    values[3, 4], values[5, 6], values[7, 8], values[9, 9] = np.nan, np.inf, -np.inf, -0.0
    return values.astype(dtype)


def compressed(syntax: Any, frame: bytes, cells: Cells, **attributes: Any) -> bytes:
    return ct_slice(cells, syntax=syntax, pixel_element=encapsulated([[frame]]), **attributes)


def forms() -> dict[str, bytes]:
    """A file of every kind of pixels and of everything that makes values of them."""
    colours = RANDOM.integers(0, 256, (*SHAPE, 3), np.uint8)
    planes = RANDOM.integers(0, 256, (23, 34), np.uint8)
    of_palette = COLOUR | {"SamplesPerPixel": 1, "PhotometricInterpretation": "PALETTE COLOR"}
    tables = palette([RANDOM.integers(0, 65536, 200).tolist() for _ in range(3)])
    ybr = COLOUR | {"PhotometricInterpretation": "YBR_FULL_422"}
    bare: dict[str, Any] = {"RescaleSlope": None, "RescaleIntercept": None}
    real = real_world(real_world_item(first=-500, last=900, slope=0.1, intercept=0.3, form="SS"))
    lut = modality_lut(RANDOM.integers(0, 65536, 500).tolist(), first=-100, signed=True)
    j2k: dict[str, Any] = {"codecformat": "j2k", "reversible": True, "resolutions": 3}
    near: Any = imagecodecs.jpegls_encode(BYTES)
    padded: dict[str, Any] = {"PixelPaddingValue": 7, "PixelPaddingRangeLimit": 40}
    made = {
        "signed": ct_slice(WORDS, **RESCALED, **SHADED),
        "plain": ct_slice(WORDS, **bare, **SHADED),
        "bytes": ct_slice(BYTES, **RESCALED, **SHADED, **padded),
        "unsigned": ct_slice(WORDS.astype(np.uint16), **RESCALED, **SHADED),
        "inverted": ct_slice(WORDS, PhotometricInterpretation="MONOCHROME1", **SHADED),
        "exact": ct_slice(WORDS, **SHADED, VOILUTFunction="LINEAR_EXACT"),
        "sigmoid": ct_slice(WORDS, **RESCALED, **SHADED, VOILUTFunction="SIGMOID"),
        "step": ct_slice(WORDS, WindowCenter=-900, WindowWidth=1),
        "junk": native_file(
            with_junk(WORDS, 12, 13).tobytes(), SHAPE, allocated=16, stored=12, HighBit=13, **SHADED
        ),
        "12 bits": native_file(packed_12_bits(WORDS), SHAPE, allocated=12, signed=True, **SHADED),
        "1 bit": native_file(packed_bits(BYTES & 1), SHAPE, allocated=1, **SHADED),
        "32 bits": ct_slice(WORDS.astype(np.int32) * 70001, **RESCALED, **SHADED),
        "float": float_file(floats("f4"), **SHADED),
        "double": float_file(floats("f8"), **bare, **SHADED, VOILUTFunction="SIGMOID"),
        "table of a float": float_file(
            floats("f8"), **bare, extra=[voi_luts(voi_lut(list(range(99)), bits=10))]
        ),
        "modality table": ct_slice(WORDS, extra=[lut], **SHADED),
        "real-world map": ct_slice(WORDS, extra=[real], **bare, **SHADED),
        "table": ct_slice(
            WORDS,
            **RESCALED,
            extra=[voi_luts(voi_lut(RANDOM.integers(0, 4096, 999).tolist(), first=-300, bits=12))],
        ),
        "rgb": native_file(colours.tobytes(), SHAPE, allocated=8, **COLOUR),
        "ybr": native_file(
            ybr_422(BYTES, planes[:, ::2], planes[:, 1::2]), SHAPE, allocated=8, **ybr
        ),
        "palette": native_file(BYTES.tobytes(), SHAPE, allocated=8, extra=tables, **of_palette),
        "rle": compressed(RLE, rle_frame(WORDS), WORDS, **SHADED, **padded),
        "jpeg_ls": compressed(JPEG_LS, bytes(near), BYTES, **RESCALED, **SHADED, **padded),
        "jpeg_2000": compressed(
            JPEG_2000, bytes(imagecodecs.jpeg2k_encode(WORDS, **j2k)), WORDS, **RESCALED, **SHADED
        ),
    }
    return {name: data for name, data in made.items() if data}


FORMS = forms()
FINISHES = {
    "window": Finish(window="file"),
    "own window": Finish(window=(-300.25, 777.7)),
    "clip": Finish(clip=(-100, 300)),
    "mean": Finish(mean=(0.45,), std=(0.225,)),
    "channels": Finish(
        window="file", channels=3, mean=(0.485, 0.456, 0.406), std=(0.229, 0.224, 0.225)
    ),
    "smaller": Finish(size=(9, 11)),
    "larger": Finish(size=(31, 50), clip=(-50.5, 60.25)),
    "mixed": Finish(size=(24, 5), window="file", channels=3),
    "one pixel": Finish(size=(1, 1), window=(0, 100)),
    "rows alone": Finish(size=(7, 34), mean=(12.5,), std=(3.3,)),
    "columns alone": Finish(size=(23, 40), window="file"),
    "all": Finish(
        size=(16, 16), window="file", channels=3, mean=(0.1, 0.2, 0.3), std=(0.3, 0.2, 0.1)
    ),
}


def one_nan(values: torch.Tensor) -> torch.Tensor:
    """Which of two that are no numbers a sum of them is, nothing says."""
    return torch.where(values.isnan(), torch.nan, values)


@pytest.mark.parametrize("finish", FINISHES)
@pytest.mark.parametrize("form", FORMS)
def test_forms_and_finishes(form: str, finish: str) -> None:
    data, steps = FORMS[form], FINISHES[finish]
    for dtype in (torch.float64, torch.float32):
        native, reference = (
            decode(data, backend, steps, dtype=dtype) for backend in ("native", "reference")
        )
        assert_same_bits(one_nan(native), one_nan(reference))
    assert native.shape[-2:] == (steps.size or SHAPE)


@pytest.mark.parametrize("form", ["signed", "bytes", "rgb", "rle", "jpeg_ls", "12 bits", "float"])
@pytest.mark.parametrize("finish", ["window", "mixed", "all", "larger"])
def test_volumes(form: str, finish: str) -> None:
    data, steps = FORMS[form], FINISHES[finish]
    for options in (
        {"mask": True},
        {"dtype": torch.float16, "region": (3, 20, 1, 30), "mask": True},
        {"dtype": torch.bfloat16, "reduce": 1, "num_threads": 1},
        {"output": "modality", "reduce": 2, "region": (4, 23, 8, 20)},
    ):
        native, reference = (
            load(data, backend, steps, **options) for backend in ("native", "reference")
        )
        assert_volumes_equal(native, reference)


@pytest.mark.parametrize("reduce", [0, 1, 2, 3])
@pytest.mark.parametrize("finish", ["smaller", "all", "window"])
def test_levels_of_a_codec_are_finished(reduce: int, finish: str) -> None:
    native, reference = (
        load(FORMS["jpeg_2000"], backend, FINISHES[finish], reduce=reduce)
        for backend in ("native", "reference")
    )
    assert_volumes_equal(native, reference)


@pytest.mark.parametrize("output", ["stored", "real_world"])
def test_other_outputs_are_finished(output: str) -> None:
    for form in ("real-world map", "signed", "rgb", "palette", "float"):
        if output == "real_world" and form != "real-world map":
            continue
        steps = Finish(window=(-1, 55.5), mean=(0.5,), std=(0.25,), channels=3)
        native, reference = (
            load(FORMS[form], backend, steps, output=output, mask=True)
            for backend in ("native", "reference")
        )
        assert_volumes_equal(native, reference)


sizes = st.tuples(st.integers(1, 60), st.integers(1, 60))
numbers = st.floats(-3000, 3000)
widths = st.floats(1e-3, 5000)


@st.composite
def finishes(draw: st.DrawFn) -> Finish:
    """Any steps that go together."""
    means = draw(st.sampled_from([0, 1, 3]))
    kind = draw(st.sampled_from(["window", "clip", "file", "none"]))
    low, width = draw(numbers), draw(widths)
    return Finish(
        size=draw(st.none() | sizes),
        window={"window": (low, width), "file": "file"}.get(kind),  # type: ignore[arg-type]
        clip=(low, low + width) if kind == "clip" else None,
        mean=tuple(draw(numbers) for _ in range(means)),
        std=tuple(draw(widths) for _ in range(means)),
        channels=3 if means == 3 else draw(st.sampled_from([None, 3])),
    )


@given(
    finishes(),
    st.sampled_from(sorted(FORMS)),
    st.sampled_from([torch.float16, torch.bfloat16, torch.float32, torch.float64]),
    st.integers(0, 2),
    st.tuples(st.integers(0, 5), st.integers(0, 7)),
    st.integers(1, 3),
)
def test_any_finish_of_any_form(
    finish: Finish,
    form: str,
    dtype: torch.dtype,
    reduce: int,
    corner: tuple[int, int],
    num_threads: int,
) -> None:
    top, left = (edge << reduce for edge in corner)
    if form == "ybr":
        left = 0  # pairs of pixels share their colours
    options: dict[str, Any] = {"dtype": dtype, "reduce": reduce, "num_threads": num_threads}
    options["region"] = (min(top, 20), 23, min(left, 32), 34) if top < 21 and left < 33 else None
    native, reference = (
        load(FORMS[form], backend, finish, **options) for backend in ("native", "reference")
    )
    reference = replace(reference, data=one_nan(reference.data))
    assert_volumes_equal(replace(native, data=one_nan(native.data)), reference)


def test_series_of_many_slices(tmp_path: Path) -> None:
    for i in range(9):
        named: dict[str, Any] = {
            "WindowCenter": 10 * i,
            "WindowWidth": 300 + i,
            "SOPInstanceUID": f"1.{i}",
        }
        cells = np.roll(WORDS, i, axis=0)
        place: dict[str, Any] = {"ImagePositionPatient": (0, 0, 2 * i), "RescaleSlope": 1 + i / 8}
        (tmp_path / f"{i}.dcm").write_bytes(ct_slice(cells, **named, **place))
    series = td.scan(tmp_path).series[0]
    for steps in FINISHES.values():
        for options in ({"mask": True}, {"slices": [7, 2, 0], "num_threads": 1}):
            reference = load(tmp_path, "reference", steps, **options)
            assert_volumes_equal(load(tmp_path, "native", steps, **options), reference)
            listed = load_checked(series, load_options(finish=steps, **options))
            assert_volumes_equal(listed, reference)
