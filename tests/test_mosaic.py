"""Siemens mosaics: the tiles of one image are slices; how many and where says a private header."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np
import pytest

import torchdicom as td
from builders import BIG, IMPLICIT, Element
from builders_multiframe import csa, mosaic
from helpers import Backend, affine_of, codes, expect_error, firsts

if TYPE_CHECKING:
    from pathlib import Path

COUNT = {"NumberOfImagesInMosaic": ("US", ["3"])}


def test_mosaic(backend: Backend) -> None:
    volume = td.load(mosaic(3), backend=backend)
    assert (volume.dims, volume.data.shape) == (("z", "y", "x"), (3, 2, 3))
    assert volume.data.tolist() == [
        [[10 * k, 10 * k + 1, 10 * k + 2], [10 * k + 3, 10 * k + 4, 10 * k + 5]] for k in range(3)
    ]
    assert affine_of(volume).tolist() == [
        [0, 0, 0.25, 0],
        [0, 0.5, 0, 0],
        [4, 0, 0, 30],
        [0, 0, 0, 1],
    ]
    assert volume.verdict == td.Verdict(ok=True)
    assert {(one.path, one.frame) for one in volume.provenance} == {("<bytes 0>", 0)}
    assert [one.position_mm for one in volume.provenance] == [(0, 0, 30), (0, 0, 34), (0, 0, 38)]
    assert volume.coords == {}


@pytest.mark.parametrize("slices", [2, 3, 4])
def test_tiles_that_show_nothing_are_none(backend: Backend, slices: int) -> None:
    assert firsts(td.load(mosaic(slices), backend=backend)) == [10 * k for k in range(slices)]


def test_number_of_slices_in_the_other_private_block(backend: Backend) -> None:
    data = mosaic(3, number=3, csa_tags={"NumberOfImagesInMosaic": ("US", [])})
    assert firsts(td.load(data, backend=backend)) == [0, 10, 20]


def test_csa_header_in_another_block(backend: Backend) -> None:
    assert firsts(td.load(mosaic(3, normal=(0, 0, -1), block=0x12), backend=backend)) == [20, 10, 0]


def test_normal_of_the_image_where_the_header_has_none(backend: Backend) -> None:
    data = mosaic(3, normal=None, ImageOrientationPatient=(1, 0, 0, 0, -1, 0))
    volume = td.load(data, backend=backend)
    # The rows run towards -y, and so the normal points to -z.
    assert [one.position_mm[2] for one in volume.provenance] == [30, 26, 22]
    assert affine_of(volume)[:3, 0].tolist() == [0, 0, -4]


def test_normal_that_is_none_is_absent(backend: Backend) -> None:
    assert firsts(td.load(mosaic(2, normal=(0, 0, -7)), backend=backend)) == [0, 10]


@pytest.mark.parametrize(
    ("attributes", "step"),
    [({"SpacingBetweenSlices": None}, 3), ({"SpacingBetweenSlices": 0}, 3)],
)
def test_thickness_where_there_is_no_spacing(
    backend: Backend, attributes: dict[str, Any], step: float
) -> None:
    assert td.load(mosaic(3, **attributes), backend=backend).spacing_mm[0] == step


def test_mosaic_without_a_place(backend: Backend) -> None:
    allowed = td.Policy(no_position="allow")
    for missing in ("ImagePositionPatient", "ImageOrientationPatient"):
        without: dict[str, Any] = {missing: None}
        volume = td.load(mosaic(3, **without), policy=allowed, backend=backend)
        assert (volume.affine, codes(volume)) == (None, ["no_position"])
        assert firsts(volume) == [0, 10, 20]


@pytest.mark.parametrize("syntax", [IMPLICIT, BIG], ids=["implicit", "big"])
def test_header_is_little_endian_in_every_syntax(backend: Backend, syntax: Any) -> None:
    volume = td.load(mosaic(3, normal=(0, 0, -1), syntax=syntax), backend=backend)
    assert firsts(volume) == [20, 10, 0]


def test_times_of_slices(backend: Backend) -> None:
    data = mosaic(3, normal=(0, 0, -1), times=(0, 50, 25.5))
    volume = td.load(data, backend=backend)
    assert volume.coords["z"]["MosaicRefAcqTimes"].tolist() == [25.5, 50, 0]
    part = td.load(data, slices=[2, 1], backend=backend)
    assert part.coords["z"]["MosaicRefAcqTimes"].tolist() == [0, 50]


def test_times_of_slices_in_the_other_private_block(backend: Backend) -> None:
    extra = [Element(0x00191029, "FD", (0.0, 1.5, 3.0))]
    volume = td.load(mosaic(3, number=3, extra=extra), backend=backend)
    assert volume.coords["z"]["MosaicRefAcqTimes"].tolist() == [0, 1.5, 3]


def test_mosaics_are_times(tmp_path: Path, backend: Backend) -> None:
    for t in range(3):
        data = mosaic(
            2,
            first=100 * t,
            times=(0, 10 + t),
            SOPInstanceUID=f"1.2.3.{t}",
            InstanceNumber=t + 1,
            AcquisitionNumber=3 - t,
        )
        (tmp_path / f"{t}.dcm").write_bytes(data)
    volume = td.load(tmp_path, backend=backend)
    assert volume.data[:, :, 0, 0].tolist() == [[200, 210], [100, 110], [0, 10]]
    assert volume.coords["t"]["AcquisitionNumber"].tolist() == [1, 2, 3]
    # Those of the first time.
    assert volume.coords["z"]["MosaicRefAcqTimes"].tolist() == [0, 12]


def test_diffusion_of_mosaics(tmp_path: Path, backend: Backend) -> None:
    for t, b_value in enumerate(("1000", "0")):
        direction = ["0.6", "0.0", "0.8"] if t == 0 else []
        tags = {"B_value": ("IS", [b_value]), "DiffusionGradientDirection": ("FD", direction)}
        data = mosaic(2, first=100 * t, csa_tags=tags, SOPInstanceUID=f"1.2.3.{t}")
        (tmp_path / f"{t}.dcm").write_bytes(data)
    volume = td.load(tmp_path, backend=backend)
    assert volume.data[:, 0, 0, 0].tolist() == [100, 0]
    coords = {name: values.tolist() for name, values in volume.coords["t"].items()}
    assert coords == {
        "DiffusionBValue": [0, 1000],
        "DiffusionGradientOrientation": [[0, 0, 0], [0.6, 0, 0.8]],
    }


def test_parts_of_tiles(backend: Backend) -> None:
    data = mosaic(4)
    assert td.load(data, region=(1, 2, 1, 3), backend=backend).data.tolist() == [
        [[10 * k + 4, 10 * k + 5]] for k in range(4)
    ]
    # The means of 0, 1, 3, 4 and of 2, 5.
    small = td.load(data, reduce=1, backend=backend)
    assert small.data.tolist() == [[[10 * k + 2, 10 * k + 3.5]] for k in range(4)]


def test_image_is_decoded_as_it_is(backend: Backend) -> None:
    decoded = td.decode(mosaic(3), output="modality", backend=backend)
    assert decoded[0].tolist() == [
        [0, 1, 2, 10, 11, 12],
        [3, 4, 5, 13, 14, 15],
        [20, 21, 22, 0, 0, 0],
        [23, 24, 25, 0, 0, 0],
    ]


def test_copies_of_mosaics(tmp_path: Path, backend: Backend) -> None:
    (tmp_path / "a.dcm").write_bytes(mosaic(3))
    (tmp_path / "b.dcm").write_bytes(mosaic(3))
    volume = td.load(tmp_path, backend=backend)
    (defect,) = volume.verdict.defects
    assert (defect.code, defect.files) == ("duplicate_files", (str(tmp_path / "b.dcm"),))


@pytest.mark.parametrize(
    "header",
    [
        b"",
        b"SV10",
        b"SV09" + csa(COUNT)[4:],
        csa(COUNT)[:-20],
        csa({"NumberOfImagesInMosaic": ("US", ["0"])}),
        csa({"NumberOfImagesInMosaic": ("US", ["x"])}),
        csa({"NumberOfImagesInMosaic": ("US", ["9"])}),
        csa({"NumberOfImagesInMosaic": ("US", ["65537"])}),
        csa(COUNT)[:16] + csa(COUNT)[16:].replace(b"\2\0\0\0", b"\xff\xff\xff\x7f", 1),
    ],
    ids=["empty", "short", "other", "cut", "zero", "text", "odd", "many", "lengths"],
)
def test_mosaic_of_an_unknown_number(tmp_path: Path, backend: Backend, header: bytes) -> None:
    path = tmp_path / "a.dcm"
    path.write_bytes(with_header(mosaic(3), header))
    with expect_error("unsupported_mosaic", element="ImageType", path=path):
        td.load(path, backend=backend)
    assert td.decode(path, backend=backend).shape == (1, 4, 6)


def with_header(data: bytes, header: bytes) -> bytes:
    """The mosaic with another CSA header."""
    start = data.index(b"\x29\0\x10\x10OB")
    length = int.from_bytes(data[start + 8 : start + 12], "little")
    value = header + b"\0" * (len(header) % 2)
    front = data[: start + 8] + len(value).to_bytes(4, "little")
    return front + value + data[start + 12 + length :]


def test_mosaic_is_written_as_thought() -> None:
    assert csa(COUNT)[:16] == b"SV10\4\3\2\1\1\0\0\0M\0\0\0"
    assert np.frombuffer(csa(COUNT)[16 + 64 : 16 + 68], "<i4")[0] == 1
