"""What becomes of values after the rescale: resized, clipped, normalised, repeated."""

from __future__ import annotations

import dataclasses
import math
import os
import pickle
from typing import TYPE_CHECKING, Any

import numpy as np
import pytest
import torch

import torchdicom as td
from builders import Cells, ct_slice, write_series
from builders_forms import COLOUR, float_file, native_file, palette
from compare import assert_same_bits, assert_volumes_equal
from helpers import affine_of, expect_error
from torchdicom import _native, _reference
from torchdicom._arguments import frame_options, load_options
from torchdicom._finish import Finish
from torchdicom._series import load_checked

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

    from helpers import Backend

PLAIN: dict[str, Any] = {"RescaleSlope": 1, "RescaleIntercept": 0}
NOT_PLACED: dict[str, Any] = {"ImagePositionPatient": None, "ImageOrientationPatient": None}


def load(source: object, backend: Backend, finish: Finish | None, **options: Any) -> td.Volume:
    """A load with a finish, as datasets do it."""
    chosen = load_options(finish=finish, **options)
    module = _native if backend == "native" else _reference
    sources: Any = source if isinstance(source, list) else [source]
    named = [one if isinstance(one, bytes) else os.fspath(one) for one in sources]
    volume: td.Volume = module.load_series(named, series=None, **chosen)
    return volume


def decode(data: bytes, backend: Backend, finish: Finish | None, **changed: Any) -> torch.Tensor:
    """Frames with a finish, in double unless the options say otherwise."""
    chosen: dict[str, Any] = {"output": "modality", "dtype": torch.float64, "region": None}
    chosen |= {"reduce": 0, "codec": None, "rwvm": None, "out": None, "num_threads": 2, **changed}
    module = _native if backend == "native" else _reference
    options = frame_options(finish=finish, **chosen)
    values: torch.Tensor = module.decode_frames(data, frames=None, **options)
    return values


def image(cells: Cells | Sequence[Sequence[int]], **attributes: Any) -> bytes:
    return ct_slice(np.asarray(cells, np.int16), **(PLAIN | attributes))


# --- the options


def test_nothing_by_default() -> None:
    finish = Finish()
    assert dataclasses.astuple(finish) == (None, None, None, (), (), None)
    assert finish.keeps_units
    assert pickle.loads(pickle.dumps(Finish(size=(2, 3), mean=1, std=2))) == Finish(  # type: ignore[arg-type]
        size=(2, 3), mean=(1.0,), std=(2.0,)
    )


@pytest.mark.parametrize(
    ("options", "kind", "words"),
    [
        ({"size": 3}, TypeError, r"two integers, \(rows, columns\), not int"),
        ({"size": (3, 1.5)}, TypeError, "two integers, .* not float"),
        ({"size": (3, True)}, TypeError, "two integers, .* not bool"),
        ({"size": "23"}, TypeError, "two integers"),
        ({"size": (3,)}, ValueError, "two integers, .* not 1 values"),
        ({"size": (0, 3)}, ValueError, "size must be 1 to 32768 along each axis, not 0"),
        ({"size": (3, 32769)}, ValueError, "not 32769"),
        ({"window": "lung"}, TypeError, r"\(low, width\), not 'lung'"),
        ({"window": 3}, TypeError, r"\(low, width\), not 3"),
        ({"window": (1, 2, 3)}, ValueError, r"\(low, width\), not 3"),
        ({"window": (0, 0)}, ValueError, "width of the window must be above 0, not 0.0"),
        ({"window": (math.inf, 1)}, ValueError, "low of the window must be finite"),
        ({"clip": (1, 1)}, ValueError, "clip must be"),
        ({"clip": (math.nan, 1)}, ValueError, "clip must be a number, not nan"),
        ({"clip": 4}, TypeError, r"\(low, high\), not 4"),
        ({"clip": (0, 1), "window": "file"}, ValueError, "window and clip both"),
        ({"mean": 1}, ValueError, "mean and std must both .* not 1 and 0"),
        ({"mean": (1, 2), "std": (1, 2)}, ValueError, "not 2 and 2"),
        ({"mean": 1, "std": 0}, ValueError, "std must be above 0, not 0.0"),
        ({"mean": 1, "std": math.inf}, ValueError, "std must be finite, not inf"),
        ({"mean": "a", "std": 1}, TypeError, "mean must be a number, not str"),
        ({"channels": 2}, ValueError, "channels must be None or 3, not 2"),
    ],
)
def test_options_that_are_none(options: Any, kind: type[Exception], words: str) -> None:
    with pytest.raises(kind, match=words):
        Finish(**options)


def test_a_window_of_the_output_joins_the_finish() -> None:
    options = load_options(output="window", finish=Finish(size=(3, 4)))
    assert options["output"] == "modality"
    assert options["finish"] == Finish(size=(3, 4), window="file")
    options = load_options(output=td.Window(40, 400))
    assert (options["output"], options["finish"]) == ("modality", Finish(window=(-160, 400)))
    assert load_options()["finish"] is None
    for output in ("window", td.Window(1, 2)):
        with pytest.raises(ValueError, match="is a window already"):
            load_options(output=output, finish=Finish(window=(1, 2)))
        with pytest.raises(ValueError, match="both cut the values off"):
            load_options(output=output, finish=Finish(clip=(1, 2)))
    with pytest.raises(ValueError, match="one of modality values, and output is 'stored'"):
        load_options(output="stored", finish=Finish(window="file"))
    for dtype in (torch.int16, torch.uint8):
        with pytest.raises(ValueError, match="what is resized or scaled has values between"):
            load_options(dtype=dtype, finish=Finish(size=(3, 4)))


# For every option a value that is not the default, and the other two steps that do not hide it.
EFFECTS: dict[str, tuple[Finish, Finish]] = {
    "size": (Finish(), Finish(size=(2, 2))),
    "window": (Finish(window=(0, 5)), Finish(window="file")),
    "clip": (Finish(), Finish(clip=(2, 5))),
    "mean": (Finish(mean=(0.0,), std=(2.0,)), Finish(mean=(1.0,), std=(2.0,))),
    "std": (Finish(mean=(1.0,), std=(2.0,)), Finish(mean=(1.0,), std=(4.0,))),
    "channels": (Finish(), Finish(channels=3)),
}


@pytest.mark.parametrize("option", [field.name for field in dataclasses.fields(Finish)])
def test_every_option_takes_effect(backend: Backend, option: str) -> None:
    data = image([[0, 1, 2], [3, 4, 5]], WindowCenter=3, WindowWidth=4)
    first, second = (decode(data, backend, finish).tolist() for finish in EFFECTS[option])
    assert first != second
    loaded = [load(data, backend, finish).data.tolist() for finish in EFFECTS[option]]
    assert loaded[0] != loaded[1]


# --- values


def test_clip(backend: Backend) -> None:
    data = image([[-1, 0, 1, 2, 3]])
    assert decode(data, backend, Finish(clip=(0, 2))).tolist() == [[[0, 0, 1, 2, 2]]]
    upper = decode(data, backend, Finish(clip=(-math.inf, 1.5)))
    assert upper.tolist() == [[[-1, 0, 1, 1.5, 1.5]]]
    assert load(data, backend, Finish(clip=(0, 2))).units == "HU"
    # Clipped values are no shades: what is bright stays as it is.
    inverted = image([[0, 1]], PhotometricInterpretation="MONOCHROME1")
    assert decode(inverted, backend, Finish(clip=(0, 2))).tolist() == [[[0, 1]]]


def test_mean_and_std(backend: Backend) -> None:
    data = image([[0, 1, 2]])
    found = decode(data, backend, Finish(mean=(0.1,), std=(0.3,)))
    assert found.tolist() == [[[(0 - 0.1) / 0.3, (1 - 0.1) / 0.3, (2 - 0.1) / 0.3]]]
    volume = load(data, backend, Finish(mean=(0.1,), std=(0.3,)))
    assert (volume.units, volume.data.dtype) == (None, torch.float32)
    assert volume.data.flatten().tolist() == found.float().flatten().tolist()


def test_window_comes_before_mean_and_std(backend: Backend) -> None:
    data = image([[0, 4, 8, 16]], PhotometricInterpretation="MONOCHROME1")
    found = decode(data, backend, Finish(window=(0, 16), mean=(0.5,), std=(0.25,)))
    assert found.tolist() == [[[2, 1, 0, -2]]]


def test_three_channels_of_gray(backend: Backend) -> None:
    data = image([[0, 1], [2, 3]])
    finish = Finish(channels=3, mean=(0, 1, 2), std=(1, 2, 4))
    planes = [
        [[(v - m) / s for v in row] for row in ((0, 1), (2, 3))]
        for m, s in zip((0, 1, 2), (1, 2, 4), strict=True)
    ]
    assert decode(data, backend, finish).tolist() == [planes]
    volume = load(data, backend, finish)
    assert volume.dims == ("c", "z", "y", "x")
    assert volume.data.tolist() == [[plane] for plane in planes]
    same = load(data, backend, Finish(channels=3, mean=(1,), std=(2,)))
    assert same.data[:, 0, 0].tolist() == [[-0.5, 0]] * 3
    with pytest.raises(ValueError, match="mean and std have 3 values, and the image has 1"):
        load(data, backend, Finish(mean=(0, 1, 2), std=(1, 2, 4)))


def test_three_channels_of_a_cine_and_of_a_volume(tmp_path: Path, backend: Backend) -> None:
    cells = np.arange(12, dtype=np.uint8).reshape(2, 2, 3)
    data = ct_slice(cells, **PLAIN, **NOT_PLACED, Modality="US")
    volume = load(data, backend, Finish(channels=3, size=(1, 3)), mask=True)
    assert (volume.dims, volume.data.shape) == (("t", "c", "z", "y", "x"), (2, 3, 1, 1, 3))
    assert volume.data[1, 2, 0, 0].tolist() == [7.5, 8.5, 9.5]
    assert volume.valid_mask is not None
    assert volume.valid_mask.shape == (2, 1, 1, 3)
    write_series(tmp_path, 3)
    stack = load(tmp_path, backend, Finish(channels=3), mask=True)
    assert (stack.dims, stack.data.shape) == (("c", "z", "y", "x"), (3, 3, 3, 4))
    assert stack.data[2, 1].tolist() == stack.data[0, 1].tolist()
    assert stack.valid_mask is not None
    assert stack.valid_mask.shape == (3, 3, 4)


def test_colours_have_a_mean_each(backend: Backend) -> None:
    cells = np.array([[[0, 10, 20], [2, 14, 28]]], np.uint8)
    data = native_file(cells.tobytes(), (1, 2), allocated=8, **COLOUR)
    finish = Finish(mean=(0, 10, 20), std=(1, 2, 4))
    expected = [[[0, 2]], [[0, 2]], [[0, 2]]]
    assert decode(data, backend, finish).tolist() == [expected]
    kept = dataclasses.replace(finish, channels=3)
    assert decode(data, backend, kept).tolist() == [expected]
    # The default dtype of colours is an integer; that of a finish is none.
    plain = load(data, backend, Finish(clip=(1, 11)))
    assert plain.data.dtype == torch.float32
    assert plain.data.flatten().tolist() == [1, 2, 10, 11, 11, 11]


def test_stored_values_can_be_finished(backend: Backend) -> None:
    data = ct_slice(np.array([[0, 1, 3]], np.int16), RescaleSlope=7)
    found = load(data, backend, Finish(mean=(1,), std=(2,)), output="stored")
    assert (found.data.dtype, found.data.flatten().tolist()) == (torch.float32, [-0.5, 0, 1])


# --- resize


def test_by_hand(backend: Backend) -> None:
    # Half the size: each pixel takes its two with 3/8 each and their neighbours with 1/8; at the
    # edge, where a neighbour is missing, 3/7, 3/7 and 1/7.
    data = image([[0, 70, 140, 700]])
    found = decode(data, backend, Finish(size=(1, 2)))
    assert found[0, 0].tolist() == pytest.approx([50, (140 + 700) * 3 / 7 + 10], abs=1e-12)
    # Twice the size: a quarter of the way to the neighbour, none at the edge.
    found = decode(image([[0, 4, 16]]), backend, Finish(size=(1, 6)))
    assert found[0, 0].tolist() == [0, 1, 3, 7, 13, 16]
    down = decode(image([[0], [4], [16]]), backend, Finish(size=(6, 1)))
    assert down.flatten().tolist() == [0, 1, 3, 7, 13, 16]
    # The same size: nothing changes.
    assert decode(data, backend, Finish(size=(1, 4))).tolist() == [[[0, 70, 140, 700]]]
    # To one pixel: a triangle over all.
    found = decode(image([[0, 3, 9]]), backend, Finish(size=(1, 1)))
    assert found.item() == pytest.approx((0 * 2 + 3 * 3 + 9 * 2) / 7, abs=1e-12)


SIZES = [(37, 53), (18, 26), (19, 27), (1, 1), (5, 106), (74, 13), (100, 131), (36, 54), (37, 7)]


@pytest.mark.parametrize("size", SIZES)
def test_as_torch_resizes(backend: Backend, size: tuple[int, int]) -> None:
    """What torchvision's `resize(antialias=True)` calls, of the same values in double."""
    cells = np.random.default_rng(3).integers(-2000, 2000, (37, 53), np.int16)
    found = decode(image(cells), backend, Finish(size=size))
    whole = torch.from_numpy(cells.astype(np.float64))
    expected = torch.nn.functional.interpolate(
        whole[None, None], size=size, mode="bilinear", antialias=True, align_corners=False
    )
    assert found.shape == (1, *size)
    assert (found - expected[0]).abs().max() <= 1e-9
    # And of float32, in which torchvision computes: within 1e-4 of the range.
    single = torch.nn.functional.interpolate(
        whole[None, None].float(), size=size, mode="bilinear", antialias=True, align_corners=False
    )
    shown = decode(image(cells), backend, Finish(size=size), dtype=torch.float32)
    assert (shown - single[0]).abs().max() <= 1e-4 * 4000


def test_resize_of_colours_and_of_a_palette(backend: Backend) -> None:
    cells = np.array([[[0, 10, 20], [4, 14, 28]]], np.uint8)
    rgb = native_file(cells.tobytes(), (1, 2), allocated=8, **COLOUR)
    wide = decode(rgb, backend, Finish(size=(1, 4)))
    assert wide.tolist() == [[[[0, 1, 3, 4]], [[10, 11, 13, 14]], [[20, 22, 26, 28]]]]
    attributes = COLOUR | {"SamplesPerPixel": 1, "PhotometricInterpretation": "PALETTE COLOR"}
    tables = palette([[0, 4], [10, 14], [20, 28]])
    data = native_file(bytes([0, 1]), (1, 2), allocated=8, extra=tables, **attributes)
    assert_same_bits(decode(data, backend, Finish(size=(1, 4))), wide)
    with expect_error("unsupported_pixel_format", element="PhotometricInterpretation"):
        decode(data, backend, Finish(size=(1, 4)), output="stored")


def test_resize_comes_after_the_rescale_and_before_the_window(backend: Backend) -> None:
    data = ct_slice(np.array([[0, 40]], np.int16), RescaleSlope=2, RescaleIntercept=-40)
    # -40, -20, 20 and 40: cut off before, the second would be 0.125 and the third 0.875.
    found = decode(data, backend, Finish(size=(1, 4), window=(-20, 40)))
    assert found.tolist() == [[[0, 0, 1, 1]]]
    found = decode(data, backend, Finish(size=(1, 4), clip=(-20, 10)))
    assert found.tolist() == [[[-20, -20, 10, 10]]]


def test_resize_acts_on_the_region_and_what_is_reduced(backend: Backend) -> None:
    cells = np.arange(48, dtype=np.int16).reshape(4, 12)
    data = image(cells)
    found = decode(data, backend, Finish(size=(2, 8)), region=(1, 3, 4, 8))
    expected = [[16, 16.25, 16.75, 17.25, 17.75, 18.25, 18.75, 19]]
    expected.append([value + 12 for value in expected[0]])
    assert found.tolist() == [expected]
    # Blocks of 2 x 2 have the means 6.5, 8.5 ... 16.5, and 24 more below.
    found = decode(data, backend, Finish(size=(4, 6)), reduce=1)
    assert found[0, :, 0].tolist() == [6.5, 12.5, 24.5, 30.5]
    assert found[0, 0].tolist() == [6.5, 8.5, 10.5, 12.5, 14.5, 16.5]


def test_pixels_without_weight_do_not_count(backend: Backend) -> None:
    # Twice the size to three times: the pixels at the centres take one pixel alone.
    cells = np.array([[1.0, math.nan, 3.0, 4.0]])
    attributes: dict[str, Any] = {"RescaleSlope": None, "RescaleIntercept": None}
    data = float_file(cells, **attributes)
    # 12 pixels: centres at (i + 0.5) / 3, on a pixel's own centre for i = 1, 4, 7, 10.
    found = decode(data, backend, Finish(size=(1, 12)))[0, 0]
    assert found.isnan().tolist() == [False] * 2 + [True] * 5 + [False] * 5
    assert [found[i].item() for i in (0, 1, 7, 10, 11)] == [1, 1, 3, 4, 4]


def test_mask_of_what_is_resized(backend: Backend) -> None:
    data = image([[7, 1, 1, 1]], PixelPaddingValue=7)
    wide = load(data, backend, Finish(size=(1, 12)), mask=True).valid_mask
    assert wide is not None
    # The first pixel has weight up to, and not at, the centre of the second, pixel 4.
    assert wide[0, 0].tolist() == [False] * 4 + [True] * 8
    tall = load(
        image([[7], [1], [1], [1]], PixelPaddingValue=7), backend, Finish(size=(12, 1)), mask=True
    ).valid_mask
    assert tall is not None
    assert tall.flatten().tolist() == [False] * 4 + [True] * 8
    small = load(data, backend, Finish(size=(1, 2)), mask=True).valid_mask
    assert small is not None
    assert small[0, 0].tolist() == [False, True]
    same = load(data, backend, Finish(size=(1, 4), window=(0, 1)), mask=True).valid_mask
    assert same is not None
    assert same[0, 0].tolist() == [False, True, True, True]


# --- place


def test_affine_of_what_is_resized(tmp_path: Path, backend: Backend) -> None:
    write_series(tmp_path, 3)
    plain = load(tmp_path, backend, None)
    # 3 rows become 6 and 4 columns 2: half of 0.5 mm, twice 0.25 mm.
    volume = load(tmp_path, backend, Finish(size=(6, 2)))
    assert volume.spacing_mm == (2.5, 0.25, 0.5)
    # The first centre moves by -1/4 of a row and by 1/2 of a column.
    expected = affine_of(plain).clone()
    expected[:3, 3] += torch.tensor([0.5 * 0.25, -0.25 * 0.5, 0], dtype=torch.float64)
    expected[:, 1] /= 2
    expected[:, 2] *= 2
    assert affine_of(volume).tolist() == expected.tolist()
    # The outer corners are where they were.
    for corner, index in (((-0.5, -0.5), (-0.5, -0.5)), ((2.5, 3.5), (5.5, 1.5))):
        old = affine_of(plain) @ torch.tensor([0, *corner, 1], dtype=torch.float64)
        new = affine_of(volume) @ torch.tensor([0, *index, 1], dtype=torch.float64)
        assert (old - new).abs().max() < 1e-12
    # After a region and halved: rows 1 and 2 of 2, columns 2 and 3.
    part = load(tmp_path, backend, Finish(size=(1, 4)), region=(0, 2, 2, 4))
    moved = affine_of(plain) @ torch.tensor([0, 0.5, 1.75, 1], dtype=torch.float64)
    assert affine_of(part)[:, 3].tolist() == pytest.approx(moved.tolist(), abs=1e-12)
    assert part.spacing_mm == (2.5, 1.0, 0.125)
    half = load(tmp_path, backend, Finish(size=(1, 1)), reduce=1)
    moved = affine_of(plain) @ torch.tensor([0, 1.5, 1.5, 1], dtype=torch.float64)
    assert affine_of(half)[:, 3].tolist() == pytest.approx(moved.tolist(), abs=1e-12)
    assert half.spacing_mm == (2.5, 2.0, 1.0)


def test_spacing_without_an_affine(backend: Backend) -> None:
    data = image(np.zeros((6, 8)), **NOT_PLACED, Modality="CR", PixelSpacing=(0.5, 0.25))
    volume = load(data, backend, Finish(size=(3, 32)))
    assert volume.affine is None
    assert volume.spacing_mm[1:] == (1.0, 0.0625)


def test_everything_else_stays(tmp_path: Path, backend: Backend) -> None:
    write_series(tmp_path, 3)
    plain = load(tmp_path, backend, None)
    volume = load(tmp_path, backend, Finish(size=(3, 4), clip=(-2000, 2000)))
    assert_volumes_equal(volume, plain)


def test_series_of_an_index(tmp_path: Path) -> None:
    write_series(tmp_path, 3)
    finish = Finish(size=(6, 7), window=(-1000, 300), channels=3, mean=(0.5,), std=(0.5,))
    expected = load(tmp_path, "reference", finish, mask=True)
    listed = load_checked(td.scan(tmp_path).series[0], load_options(finish=finish, mask=True))
    assert_volumes_equal(listed, expected)


def test_out_has_the_shape_of_the_result(backend: Backend) -> None:
    data = image([[0, 4]])
    out = torch.zeros((3, 1, 1, 4))
    volume = load(data, backend, Finish(size=(1, 4), channels=3), out=out)
    assert volume.data is out
    assert out[2, 0, 0].tolist() == [0, 1, 3, 4]
    with pytest.raises(ValueError, match="out"):
        load(data, backend, Finish(size=(1, 4), channels=3), out=torch.zeros((3, 1, 1, 2)))
