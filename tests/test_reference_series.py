"""How the reference splits, chooses, selects and masks: against literals, without the core."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, Any

import numpy as np
import pytest
import torch

import torchdicom as td
from builders import Syntax, axial, ct_slice, default_pixels, write_series
from builders_frames import encapsulated
from builders_parts import (
    AXIAL,
    CORONAL,
    DX_IMAGE,
    LOCALIZER,
    SECONDARY_CAPTURE,
    SPLITTING,
    UID,
    part_key,
    write_more,
    write_scout,
)
from helpers import expect_error
from torchdicom._reference._choose import choose
from torchdicom._reference._header import FileHeader, read_file
from torchdicom._reference._kinds import kind_of
from torchdicom._reference._sources import Source
from torchdicom._reference._split import NAMES, Part, hash_of, split

if TYPE_CHECKING:
    from collections.abc import Iterable
    from pathlib import Path


def header(path: str = "a.dcm", **attributes: Any) -> FileHeader:
    return read_file(Source(path, ct_slice(**attributes)))


def parts_of(paths: Iterable[Path]) -> list[Part]:
    return split([read_file(Source(str(path))) for path in paths])


def load(source: Any, **options: Any) -> td.Volume:
    return td.load(source, backend="reference", **options)


def cine(frames: int = 5, **attributes: Any) -> bytes:
    cells = np.arange(frames * 12, dtype=np.int16).reshape(frames, 3, 4)
    values: dict[str, Any] = {"ImagePositionPatient": None, "ImageOrientationPatient": None}
    values |= {"Modality": "US", "RescaleSlope": None, "RescaleIntercept": None}
    return ct_slice(cells, **(values | attributes))


# --- parts and their keys


@pytest.mark.parametrize(
    ("texts", "digits"),
    # FNV-1a of 64 bits of "", "a" and "foobar", as its authors list them, the halves combined.
    [([""], "4fd0bfc1"), (["a"], "296230c0"), (["foobar"], "72ad2699")],
)
def test_hash_of_texts(texts: list[str], digits: str) -> None:
    assert hash_of(texts) == digits
    assert hash_of(["foo", "bar"]) == hash_of(["foo|bar"]) != hash_of(["foobar"])


def test_texts_of_a_slice(tmp_path: Path) -> None:
    (part,) = parts_of(write_series(tmp_path, 2))
    assert part.texts == tuple(SPLITTING.values())
    assert len(part.texts) == len(NAMES)
    assert (part.key, part.uid, part.kind) == (UID, UID, "volume")


def test_texts_that_are_absent_or_odd() -> None:
    (bare,) = split(
        [
            header(
                ImageType=None,
                BitsStored=None,
                HighBit=None,
                RescaleSlope=None,
                PixelSpacing=None,
                ImagePositionPatient=None,
                SeriesInstanceUID=None,
            )
        ]
    )
    expected = {"ImageType": "", "format": SPLITTING["format"], "units": "HU//intercept"}
    expected |= {"PixelSpacing": "", "orientation": "none"}
    assert bare.texts == tuple((SPLITTING | expected).values())
    assert bare.key == part_key(expected, uid="")
    (mr,) = split(
        [
            header(
                Modality="MR",
                ImageType="DERIVED\\PRIMARY\\OTHER\\PHASE MAP",
                EchoTime="4.60000000001",
                RepetitionTime="1e7",
                FlipAngle="90.0",
                EchoNumbers=" 2 ",
                ReceiveCoilName=b"K\xf6pf",
                ImageOrientationPatient=(1, -0.0001, 0, 0.0004, 1, 0),
                PixelSpacing=("0.48828125", "1"),
            )
        ]
    )
    assert mr.texts[2:10] == (
        *("DERIVED", "P", "", "4.6", "10000000", "90"),
        *("2", "K\xf6pf"),
    )
    assert mr.texts[12] == "0.4883\\1"
    assert mr.texts[14:16] == ("/slope/intercept", "1.000\\0.000\\0.000\\0.000\\1.000\\0.000")


KINDS: list[tuple[str, dict[str, Any], str]] = [
    ("slice", {}, "volume"),
    ("CT without a place", {"ImagePositionPatient": None}, "volume"),
    ("CT without an orientation", {"ImageOrientationPatient": None}, "volume"),
    ("capture of CT", {"SOPClassUID": SECONDARY_CAPTURE, "ImagePositionPatient": None}, "image"),
    ("capture with a place", {"SOPClassUID": SECONDARY_CAPTURE}, "volume"),
    ("x-ray", {"Modality": "DX", "ImagePositionPatient": None}, "image"),
    ("x-ray with a place", {"Modality": "DX"}, "volume"),
    ("no modality", {"Modality": None, "ImageOrientationPatient": None}, "image"),
    ("scout", {"ImageType": LOCALIZER}, "localizer"),
    ("scout without a place", {"ImageType": LOCALIZER, "ImagePositionPatient": None}, "localizer"),
    ("no scout", {"ImageType": "ORIGINAL\\PRIMARY\\LOCALIZER2"}, "volume"),
    ("segmentation", {"SOPClassUID": "1.2.840.10008.5.1.4.1.1.66.4"}, "other"),
    ("labels", {"SOPClassUID": "1.2.840.10008.5.1.4.1.1.66.7", "ImageType": LOCALIZER}, "other"),
    ("slide", {"SOPClassUID": "1.2.840.10008.5.1.4.1.1.77.1.6", "Modality": "SM"}, "other"),
]


@pytest.mark.parametrize(("attributes", "kind"), [k[1:] for k in KINDS], ids=[k[0] for k in KINDS])
def test_kinds(attributes: dict[str, Any], kind: str) -> None:
    assert kind_of(header(**attributes)) == kind


@pytest.mark.parametrize(
    ("attributes", "kind"),
    [
        ({}, "cine"),
        ({"Modality": "XA", "ImageOrientationPatient": AXIAL}, "cine"),
        ({"ImagePositionPatient": (0, 0, 0)}, "volume"),
        ({"DoseGridScaling": "1"}, "cine"),  # of a dose alone
        *(({"Modality": modality}, "volume") for modality in ("CT", "MR", "PT", "NM")),
        ({"ImageType": LOCALIZER}, "localizer"),
    ],
)
def test_kinds_of_several_frames(attributes: dict[str, Any], kind: str) -> None:
    assert kind_of(read_file(Source("a", cine(**attributes)))) == kind


@pytest.mark.parametrize(
    ("suffix", "kind"),
    [("99", "volume"), ("100", "other"), ("104.1", "other"), ("108", "other"), ("109", "volume")],
)
def test_kind_of_video(suffix: str, kind: str) -> None:
    syntax = Syntax(f"1.2.840.10008.1.2.4.{suffix}", encapsulated=True)
    data = ct_slice(syntax=syntax, pixel_element=encapsulated([[b"ab"]]))
    assert kind_of(read_file(Source("a", data))) == kind


def test_parts_do_not_depend_on_the_order_of_files() -> None:
    # 0.5 twice takes what is within a thousandth of it; what is left has its own most frequent.
    spacings = ["0.5", "0.5004", "0.5008", "0.5008", "0.5", "0.4997", "0.4993"]
    files = [
        header(f"{i}", PixelSpacing=(spacing, "1"), SOPInstanceUID=f"1.{i}")
        for i, spacing in enumerate(spacings)
    ]
    expected = {("0.5\\1", "0145"), ("0.5008\\1", "23"), ("0.4993\\1", "6")}
    for order in (files, files[::-1], files[3:] + files[:3]):
        parts = split(order)
        found = {(p.texts[12], "".join(sorted(f.path for f in p.files))) for p in parts}
        assert found == expected


def test_orientations_are_divided_within_a_spacing() -> None:
    near, far = (0.9999995, 0.0009, 0, -0.0009, 0.9999995, 0), (1, 0, 0, 0, 0, -1)
    orientations = [AXIAL, near, far, AXIAL, near, near]
    files = [
        header(str(i), ImageOrientationPatient=one, ImagePositionPatient=axial(i)[0])
        for i, one in enumerate(orientations)
    ]
    first, second = split(files)
    assert [[f.path for f in part.files] for part in (first, second)] == [[*"01345"], ["2"]]
    assert first.texts[15] == "1.000\\0.001\\0.000\\-0.001\\1.000\\0.000"
    assert second.texts[15] == "1.000\\0.000\\0.000\\0.000\\0.000\\-1.000"


def test_images_are_series_of_their_own() -> None:
    x_ray: dict[str, Any] = {"Modality": "DX", "SOPClassUID": DX_IMAGE}
    x_ray |= {"ImagePositionPatient": None, "ImageOrientationPatient": None}
    files = [header(str(i), SOPInstanceUID=f"1.2.{i}", **x_ray) for i in range(3)]
    parts = split(files)
    assert [part.texts[16] for part in parts] == ["1.2.0", "1.2.1", "1.2.2"]
    assert len({part.key for part in parts}) == 3


# --- the choice


def test_choice_by_key_and_uid(tmp_path: Path) -> None:
    paths = [*write_series(tmp_path, 2), write_scout(tmp_path)]
    other = write_series(tmp_path / "z", 2, SeriesInstanceUID="1.9")
    scouts = write_series(tmp_path / "s", 2, SeriesInstanceUID="1.8", ImageType=LOCALIZER)
    parts = parts_of([*paths, *scouts, *other])
    volume, scout, scouts_alone, second = parts
    assert [part.key for part in (scouts_alone, second)] == ["1.8", "1.9"]
    for wanted, chosen in [
        (volume.key, volume),
        (scout.key, scout),
        (UID, volume),
        ("1.8", scouts_alone),
        ("1.9", second),
    ]:
        assert choose(parts, wanted) is chosen
    assert choose([volume, scout], None) is volume
    assert choose([scouts_alone], None) is scouts_alone
    with expect_error("several_series", match="3 localizer") as caught:
        choose(parts, None)
    assert f'series="{volume.key}"' in str(caught.value)
    assert 'series="1.8"' not in str(caught.value)
    with expect_error("no_such_series", match="1.9"):
        choose(parts, "1.7")


def test_unknown_series_lists_the_first_keys() -> None:
    parts = split([header(str(i), SeriesInstanceUID=f"1.{i}") for i in range(23)])
    with expect_error("no_such_series", match=r"1\.19 and 3 more"):
        choose(parts, "2")


# --- selections


def test_affine_of_picked_slices_and_pixels(tmp_path: Path) -> None:
    write_series(tmp_path, 6, step_mm=3)
    volume = load(tmp_path, slices=slice(5, 0, -2), region=(1, 3, 2, 4), output="stored")
    expected = [(100 * k + default_pixels())[1:3, 2:4].tolist() for k in (5, 3, 1)]
    assert volume.data.tolist() == expected
    assert volume.affine is not None
    assert volume.affine.tolist() == [
        [0, 0, 0.25, -10 + 2 * 0.25],
        [0, 0.5, 0, -20 + 0.5],
        [-6, 0, 0, 30 + 15],
        [0, 0, 0, 1],
    ]
    assert volume.spacing_mm == (6.0, 0.5, 0.25)
    assert [one.position_mm for one in volume.provenance] == [(-10, -20, z) for z in (45, 39, 33)]


@pytest.mark.parametrize(
    ("slices", "picks", "z"),
    [
        ([2], [2], 3.0),
        ([-1], [5], 3.0),
        ([0, 5], [0, 5], 15.0),
        ([1, 2, 4], [1, 2, 4], math.nan),
        ([3, 3], [3, 3], math.nan),
        (slice(None, None, 4), [0, 4], 12.0),
    ],
)
def test_spacing_of_picked_slices(tmp_path: Path, slices: Any, picks: list[int], z: float) -> None:
    write_series(tmp_path, 6, step_mm=3)
    volume = load(tmp_path, slices=slices, output="stored")
    assert volume.data[:, 0, 0].tolist() == [100 * pick for pick in picks]
    assert volume.spacing_mm == pytest.approx((z, 0.5, 0.25), nan_ok=True)
    assert (volume.affine is None) == math.isnan(z)


def test_selections_that_are_not_there(tmp_path: Path) -> None:
    write_series(tmp_path, 3)
    for slices in ([3], [0, -4]):
        with pytest.raises(IndexError, match="3"):
            load(tmp_path, slices=slices)
    with pytest.raises(ValueError, match="none"):
        load(tmp_path, slices=slice(3, None))
    for region in ((0, 4, 0, 4), (0, 3, 0, 5), (-1, 3, 0, 4), (2, 2, 0, 4), (0, 3, 3, 2)):
        with pytest.raises(ValueError, match="3 rows and 4 columns"):
            load(tmp_path, region=region)


@pytest.mark.parametrize(
    ("attributes", "padding"),
    [
        ({}, []),
        ({"PixelPaddingValue": 5}, [5]),
        ({"PixelPaddingValue": 9, "PixelPaddingRangeLimit": 7}, [7, 8, 9]),
        ({"PixelPaddingValue": 0xFFFE, "PixelPaddingRangeLimit": 1}, [-2, -1, 0, 1]),
        ({"PixelPaddingRangeLimit": 4}, []),
    ],
)
def test_mask_is_of_stored_values(attributes: dict[str, Any], padding: list[int]) -> None:
    cells = default_pixels() - np.int16(2)
    volume = load(ct_slice(cells, **attributes), mask=True)
    assert volume.valid_mask is not None
    assert volume.valid_mask.dtype == torch.bool
    assert cells[~volume.valid_mask[0].numpy()].tolist() == padding
    assert load(ct_slice(cells)).valid_mask is None


# --- repeats


@pytest.mark.parametrize("pixel", ["5e-324", "1", "1e300"])
def test_one_place_is_a_repeat_whatever_the_pixels(tmp_path: Path, pixel: str) -> None:
    write_series(tmp_path, 3, ImagePositionPatient=axial(1, 1, 1), PixelSpacing=(pixel, "1"))
    with expect_error("duplicate_positions"):
        load(tmp_path)
    volume = load(tmp_path, policy=td.Policy(duplicate_positions="drop"), output="stored")
    assert volume.data[:, 0, 0].tolist() == [0]
    assert [one.code for one in volume.verdict.defects] == [
        *("duplicate_positions", "assumed_spacing")
    ]


# --- images and cine


def test_cine_has_its_frames_along_t() -> None:
    data = cine(FrameTime="40.5", PixelPaddingValue=13)
    volume = load(data, output="stored", region=(1, 2, 0, 4), mask=True)
    assert volume.dims == ("t", "z", "y", "x")
    assert volume.data[:, 0, 0, 0].tolist() == [4, 16, 28, 40, 52]
    assert volume.affine is None
    assert volume.coords["t"]["FrameTime"].tolist() == [0, 40.5, 81, 121.5, 162]
    assert volume.spacing_mm == pytest.approx((math.nan, 0.5, 0.25), nan_ok=True)
    assert volume.metadata["spacing_source"] == "PixelSpacing"
    assert [one.frame for one in volume.provenance] == [0, 1, 2, 3, 4]
    assert all(math.isnan(x) for one in volume.provenance for x in one.position_mm)
    assert volume.valid_mask is not None
    assert volume.valid_mask.shape == volume.data.shape
    assert load(data, slices=[0]).data.shape == load(data, slices=[-1]).data.shape == (5, 1, 3, 4)
    for slices in ([1], [0, 0], [-2]):
        with pytest.raises(IndexError):
            load(data, slices=slices)


@pytest.mark.parametrize(
    ("attributes", "times"),
    [
        ({"FrameTimeVector": (0, 10, 20.5, 30)}, [0, 10, 30.5, 60.5]),
        ({"FrameTimeVector": (7, 10, 20, 30), "FrameTime": 5}, [0, 10, 30, 60]),
        ({"FrameTimeVector": (0, 10), "FrameTime": 5}, [0, 5, 10, 15]),
        ({"FrameTimeVector": (0, 10)}, None),
        ({}, None),
    ],
)
def test_times_of_frames(attributes: dict[str, Any], times: list[float] | None) -> None:
    coords = load(cine(4, **attributes)).coords["t"]
    assert {name: value.tolist() for name, value in coords.items()} == (
        {} if times is None else {"FrameTime": times}
    )


@pytest.mark.parametrize(
    ("spacing", "imager", "expected", "source"),
    [
        ((0.3, 0.4), (0.1, 0.2), (0.3, 0.4), "PixelSpacing"),
        (None, (0.1, 0.2), (0.1, 0.2), "ImagerPixelSpacing"),
        ((0, 0.4), (0.1, 0.2), (0.1, 0.2), "ImagerPixelSpacing"),
        (None, None, (math.nan, math.nan), None),
    ],
)
def test_spacing_of_an_image(spacing: Any, imager: Any, expected: Any, source: str | None) -> None:
    attributes: dict[str, Any] = {"Modality": "DX", "ImagePositionPatient": None}
    attributes |= {"PixelSpacing": spacing, "ImagerPixelSpacing": imager}
    volume = load(ct_slice(**attributes))
    assert volume.spacing_mm == pytest.approx((math.nan, *expected), nan_ok=True)
    assert volume.metadata.get("spacing_source") == source
    assert (volume.affine, volume.verdict) == (None, td.Verdict(ok=True))


def test_images_without_uids_are_not_stacked() -> None:
    anonymous: dict[str, Any] = {"Modality": "DX", "ImagePositionPatient": None}
    cells = default_pixels()
    images = [ct_slice(cells + np.int16(k), SOPInstanceUID=None, **anonymous) for k in (0, 1)]
    with expect_error("missing_element", element="SOPInstanceUID"):
        load(images)
    assert load(images[0]).data.shape == (1, 3, 4)


# --- company


def test_parts_of_one_uid_say_so(tmp_path: Path) -> None:
    write_series(tmp_path, 3)
    scout = write_scout(tmp_path)
    thin = write_more(tmp_path, 3, 2, PixelSpacing=(0.5, 0.5), RescaleType=["HU", "OD"])
    flat = write_more(
        tmp_path, 5, 1, ImageOrientationPatient=CORONAL, ImagePositionPatient=[(0, 0, 0)]
    )
    defects = load(tmp_path, series=part_key()).verdict.defects
    assert [(one.code, one.files, one.measured) for one in defects] == [
        ("localizer", (str(scout),), {"files": 1}),
        ("mixed_size", (str(thin[0]), str(thin[1])), {"parts": 2}),
        ("mixed_pixel_format", (str(thin[1]),), {"parts": 2}),
        ("mixed_orientation", (str(flat[0]),), {"parts": 2}),
    ]
    with expect_error("mixed_pixel_format", element="RescaleType", path=thin[1]):
        load(tmp_path, series=part_key(), policy=td.Policy(mixed_pixel_format="raise"))
