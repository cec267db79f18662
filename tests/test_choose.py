"""`series=`: keys, bare UIDs, what is listed where the choice is open, and what is not there."""

from __future__ import annotations

import itertools
import re
from typing import TYPE_CHECKING, Any

import pytest

import torchdicom as td
from builders import ct_slice, write_series
from builders_parts import (
    DX_IMAGE,
    SCOUT,
    SECONDARY_CAPTURE,
    UID,
    flat,
    keys_in,
    part_key,
    write_more,
    write_scout,
)
from helpers import Backend, affine_of, expect_error, firsts

if TYPE_CHECKING:
    from pathlib import Path

LATE = {"EchoTime": "80"}


def choose(source: Any, series: str | None, backend: Backend) -> list[float]:
    return firsts(td.load(source, series=series, output="stored", backend=backend))


def write_two_parts(folder: Path) -> None:
    """Slices 0 to 2 without an echo time, 3 to 5 with one."""
    write_series(folder, 3)
    write_more(folder, 3, 3, EchoTime="80")


def test_key_of_a_part(tmp_path: Path, backend: Backend) -> None:
    write_two_parts(tmp_path)
    assert choose(tmp_path, part_key(), backend) == [0, 100, 200]
    assert choose(tmp_path, part_key(LATE), backend) == [300, 400, 500]


def test_key_of_a_series_in_one_part_is_its_uid(tmp_path: Path, backend: Backend) -> None:
    write_series(tmp_path, 3)
    assert choose(tmp_path, UID, backend) == [0, 100, 200]
    with expect_error("no_such_series") as caught:
        td.load(tmp_path, series=part_key(), backend=backend)
    assert UID in str(caught.value)


def test_key_does_not_depend_on_where_files_lie(tmp_path: Path, backend: Backend) -> None:
    write_two_parts(tmp_path)
    contents = [path.read_bytes() for path in sorted(tmp_path.iterdir(), reverse=True)]
    assert choose(contents, part_key(LATE), backend) == [300, 400, 500]
    (tmp_path / "0003.dcm").rename(tmp_path / "a.dcm")
    assert choose(tmp_path, part_key(LATE), backend) == [300, 400, 500]


def test_key_does_not_depend_on_which_other_parts_there_are(
    tmp_path: Path, backend: Backend
) -> None:
    write_two_parts(tmp_path)
    write_more(tmp_path, 6, 2, EchoTime="90")
    write_scout(tmp_path)
    assert choose(tmp_path, part_key(LATE), backend) == [300, 400, 500]


def test_keys_to_paste_come_in_path_order(tmp_path: Path, backend: Backend) -> None:
    write_series(tmp_path / "c", 2, SeriesInstanceUID="1.1")
    write_series(tmp_path / "a", 2, SeriesInstanceUID="1.3")
    write_series(tmp_path / "b", 2, SeriesInstanceUID="1.2")
    with expect_error("several_series") as caught:
        td.load(tmp_path, backend=backend)
    assert keys_in(caught.value) == ["1.3", "1.2", "1.1"]


def test_uid_of_several_parts_is_no_choice(tmp_path: Path, backend: Backend) -> None:
    write_two_parts(tmp_path)
    write_series(tmp_path / "other", 2, SeriesInstanceUID="1.9")
    with expect_error("several_series") as caught:
        td.load(tmp_path, series=UID, backend=backend)
    assert keys_in(caught.value) == [part_key(), part_key(LATE)]


def test_localizers_are_counted_and_not_listed(tmp_path: Path, backend: Backend) -> None:
    write_two_parts(tmp_path)
    scouts = [
        write_scout(tmp_path, f"scout{k}.dcm", SOPInstanceUID=f"1.7.{k}", SeriesInstanceUID=uid)
        for k, uid in enumerate([UID, "1.7", "1.7"])
    ]
    with expect_error("several_series") as caught:
        td.load(tmp_path, backend=backend)
    text = str(caught.value)
    assert keys_in(caught.value) == [part_key(), part_key(LATE)]
    assert "localizer" in text
    assert not any(scout.name in text for scout in scouts)


def test_several_series_of_localizers_are_listed_where_there_is_nothing_else(
    tmp_path: Path, backend: Backend
) -> None:
    write_scout(tmp_path, "a.dcm")
    write_scout(tmp_path, "b.dcm", SeriesInstanceUID="1.7")
    with expect_error("several_series") as caught:
        td.load(tmp_path, backend=backend)
    assert keys_in(caught.value) == [UID, "1.7"]
    assert choose(tmp_path, "1.7", backend) == [777]


def test_uid_of_slices_and_a_localizer_means_the_slices(tmp_path: Path, backend: Backend) -> None:
    write_series(tmp_path, 3)
    write_scout(tmp_path)
    assert choose(tmp_path, UID, backend) == [0, 100, 200]
    assert choose(tmp_path, part_key(SCOUT), backend) == [777]


@pytest.mark.parametrize("series", ["1.9", "", UID + "#", UID + "#00000000", "#", UID[:-1]])
def test_unknown_series_lists_what_is_there(tmp_path: Path, backend: Backend, series: str) -> None:
    write_two_parts(tmp_path)
    write_scout(tmp_path)
    with expect_error("no_such_series") as caught:
        td.load(tmp_path, series=series, backend=backend)
    for key in (part_key(), part_key(LATE), part_key(SCOUT)):
        assert key in str(caught.value)


def test_long_list_of_series_is_cut(backend: Backend) -> None:
    uids = [f"1.2.8{k:02}" for k in range(25)]
    files = [ct_slice(SeriesInstanceUID=uid, SOPInstanceUID=uid) for uid in uids]
    with expect_error("no_such_series", match="and 5 more") as caught:
        td.load(files, series="1.9", backend=backend)
    found = re.findall(r"1\.2\.8\d\d", str(caught.value))
    assert list(dict.fromkeys(found)) == uids[:20]


def test_every_image_without_a_place_is_a_series(tmp_path: Path, backend: Backend) -> None:
    none: dict[str, Any] = {"ImagePositionPatient": None, "ImageOrientationPatient": None}
    dx: dict[str, Any] = {"SOPClassUID": DX_IMAGE, "Modality": "DX", **none}
    uids = ["1.5.1", "1.5.2"]
    write_series(tmp_path, 2, **(dx | {"SOPInstanceUID": uids}))
    texts = {"SOPClassUID": DX_IMAGE, "Modality": "DX", "kind": "image", "orientation": "none"}
    texts |= {"units": "/slope/intercept"}
    keys = [part_key(texts | {"SOPInstanceUID": uid}) for uid in uids]
    with expect_error("several_series") as caught:
        td.load(tmp_path, backend=backend)
    assert keys_in(caught.value) == keys
    assert choose(tmp_path, keys[1], backend) == [100]


def test_secondary_captures_are_images_unless_they_have_a_place(
    tmp_path: Path, backend: Backend
) -> None:
    capture: dict[str, Any] = {"SOPClassUID": SECONDARY_CAPTURE}
    write_series(tmp_path / "with", 2, **capture)
    assert choose(tmp_path / "with", None, backend) == [0, 100]
    write_series(tmp_path / "without", 2, **capture, ImageOrientationPatient=[None] * 2)
    with expect_error("several_series") as caught:
        td.load(tmp_path / "without", backend=backend)
    texts = capture | {"kind": "image", "orientation": "none"}
    assert keys_in(caught.value) == [
        part_key(texts | {"SOPInstanceUID": f"1.2.3.4.{k}"}) for k in (1, 2)
    ]


# --- which spacings and orientations count as the same


ORDERS = [(0, 1, 2, 3, 4), (4, 3, 2, 1, 0), (2, 0, 4, 1, 3)]


@pytest.mark.parametrize("order", ORDERS)
@pytest.mark.parametrize(
    ("rows", "parts"),
    [
        # The most frequent value takes in what is within a thousandth of it ...
        ((0.5003, 0.5003, 0.5003, 0.5, 0.5006), {"0.5003": {0, 1, 2, 3, 4}}),
        ((0.5, 0.5, 0.5, 0.5003, 0.5006), {"0.5": {0, 1, 2, 3}, "0.5006": {4}}),
        # ... then the most frequent of the rest, of equally frequent ones the smallest.
        ((0.5, 0.5, 0.5006, 0.5006, 0.5003), {"0.5": {0, 1, 4}, "0.5006": {2, 3}}),
        ((0.5, 0.5003, 0.5006, 0.5009, 0.5012), {"0.5": {0, 1}, "0.5006": {2, 3}, "0.5012": {4}}),
        # Another notation of the same number is the same number.
        (("0.5", "0.50", "5e-1", "+.5", "00.500"), {"0.5": {0, 1, 2, 3, 4}}),
    ],
)
def test_spacings_within_a_thousandth_are_one_part(
    tmp_path: Path,
    backend: Backend,
    rows: tuple[float | str, ...],
    parts: dict[str, set[int]],
    order: tuple[int, ...],
) -> None:
    write_series(
        tmp_path,
        5,
        PixelSpacing=[(rows[k], 0.25) for k in order],
        pixels=[flat(k) for k in order],
    )
    write_scout(tmp_path)  # so that every part has a key with a hash
    lax = td.Policy(missing_slices="allow", uneven_spacing="allow")
    for text, numbers in parts.items():
        key = part_key({"PixelSpacing": f"{text}\\0.25"})
        volume = td.load(tmp_path, series=key, policy=lax, output="stored", backend=backend)
        assert set(firsts(volume)) == numbers


def test_spacings_are_compared_within_the_rest_of_a_part(tmp_path: Path, backend: Backend) -> None:
    # 0.5003 would be taken in by 0.5, were the echoes not apart.
    write_series(tmp_path, 3, PixelSpacing=(0.5, 0.25))
    write_more(tmp_path, 3, 2, PixelSpacing=(0.5003, 0.25), EchoTime="80")
    key = part_key(LATE | {"PixelSpacing": "0.5003\\0.25"})
    assert choose(tmp_path, key, backend) == [300, 400]


@pytest.mark.parametrize(
    ("value", "component"),
    [
        *[("M", "M"), ("MAGNITUDE", "M"), ("P", "P"), ("PHASE", "P"), ("PHASE MAP", "P")],
        *[("R", "R"), ("REAL", "R"), ("I", "I"), ("IMAGINARY", "I")],
        *[("ND\\P\\M", "P"), ("OTHER", ""), ("m", "")],
    ],
)
def test_component_of_a_complex_image(
    tmp_path: Path, backend: Backend, value: str, component: str
) -> None:
    write_series(tmp_path, 2, ImageType=f"ORIGINAL\\PRIMARY\\{value}")
    write_scout(tmp_path)
    assert choose(tmp_path, part_key({"component": component}), backend) == [0, 100]


@pytest.mark.parametrize("order", ORDERS)
def test_clusters_of_orientation_do_not_depend_on_the_order(
    tmp_path: Path, backend: Backend, order: tuple[int, ...]
) -> None:
    # 0.9995 and 1.0005 are each near 1 and not near one another; -0 is written 0.
    cosines = [1, 1, 0.9995, 1.0005, 1]
    write_series(
        tmp_path, 5, ImageOrientationPatient=[(cosines[k], "-0", 0, 0, 1, 0) for k in order]
    )
    volume = td.load(tmp_path, backend=backend)
    assert affine_of(volume)[:3, 2].tolist() == [0.25, 0.0, 0.0]
    write_scout(tmp_path)
    assert choose(tmp_path, part_key(), backend) == [0, 100, 200, 300, 400]


def test_spacing_is_clustered_before_the_orientation(tmp_path: Path, backend: Backend) -> None:
    # Within each spacing its own majority of orientations counts.
    near = [1, 0.9995, 0.9988]
    cases = list(itertools.product([0.5, 0.6], near))
    write_series(
        tmp_path,
        6,
        PixelSpacing=[(spacing, 0.25) for spacing, _ in cases],
        ImageOrientationPatient=[(x, 0, 0, 0, 1, 0) for _, x in cases],
    )
    with expect_error("several_series") as caught:
        td.load(tmp_path, backend=backend)
    # Of three that are equally frequent the smallest: 0.9988 takes in 0.9995 and leaves 1.
    turned = "0.999\\0.000\\0.000\\0.000\\1.000\\0.000"
    usual = "1.000\\0.000\\0.000\\0.000\\1.000\\0.000"
    keys = [
        part_key({"PixelSpacing": f"{spacing}\\0.25", "orientation": orientation})
        for spacing, orientation in itertools.product(["0.5", "0.6"], [usual, turned])
    ]
    assert keys_in(caught.value) == keys
