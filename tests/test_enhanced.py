"""Enhanced multi-frame files: functional groups, stacks, concatenations (PS3.3 C.7.6.16)."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np
import pytest
import torch

import torchdicom as td
from builders import IMPLICIT, UNKNOWN, Element, ct_slice, encode, item, sequence
from builders_enhanced import (
    ENHANCED_CT,
    ENHANCED_PET,
    ENHANCED_US,
    ENHANCED_XA,
    PER_FRAME,
    SHARED,
    enhanced,
    group,
    real_world_map,
    write_enhanced,
)
from builders_frames import encapsulated
from builders_parts import keys_in
from helpers import Backend, affine_of, codes, expect_error, firsts

if TYPE_CHECKING:
    from pathlib import Path

CONCATENATION = "1.2.3.4.99"
AXIAL = [[0, 0, 0.25, -10], [0, 0.5, 0, -20], [2.5, 0, 0, 30], [0, 0, 0, 1]]


def test_frames_are_slices(backend: Backend) -> None:
    volume = td.load(enhanced(4), backend=backend)
    assert volume.dims == ("z", "y", "x")
    assert volume.data.shape == (4, 3, 4)
    assert firsts(volume) == [0, 100, 200, 300]
    assert affine_of(volume).tolist() == AXIAL
    assert (volume.space, volume.verdict) == ("LPS", td.Verdict(ok=True))
    assert [one.frame for one in volume.provenance] == [0, 1, 2, 3]
    assert {one.path for one in volume.provenance} == {"<bytes 0>"}
    assert volume.provenance[1].position_mm == (-10, -20, 32.5)


def test_one_frame_is_a_volume_of_one_slice(backend: Backend) -> None:
    volume = td.load(enhanced(1), backend=backend)
    assert (volume.data.shape, codes(volume)) == ((1, 3, 4), ["assumed_spacing"])
    assert volume.spacing_mm == (2, 0.5, 0.25)


def test_header_is_that_of_the_file() -> None:
    header = td.read_header(enhanced(3))
    assert (header.number_of_frames, len(header.frame_ranges)) == (3, 3)
    assert (header.image_position_patient, header.pixel_spacing) == ((), ())


@pytest.mark.parametrize("options", [{"slices": [2, 0]}, {"region": (0, 2, 1, 3)}, {"reduce": 1}])
def test_parts_of_frames(backend: Backend, options: dict[str, Any]) -> None:
    volume = td.load(enhanced(3), backend=backend, **options)
    expected = {
        "slices": [[200, 201], [0, 1]],
        "region": [[1, 2], [101, 102], [201, 202]],
        # The means of 0, 1, 4, 5 and of 2, 3, 6, 7.
        "reduce": [[2.5, 4.5], [102.5, 104.5], [202.5, 204.5]],
    }[next(iter(options))]
    assert volume.data[:, 0, :2].tolist() == expected


def test_frames_are_sorted_by_place_and_not_by_number(backend: Backend) -> None:
    places = [(0, 0, z) for z in (9, 3, 6)]
    volume = td.load(enhanced(3, per_frame={"ImagePositionPatient": places}), backend=backend)
    assert firsts(volume) == [100, 200, 0]


@pytest.mark.filterwarnings("ignore::torchdicom.DicomWarning")
def test_an_attribute_counts_in_its_own_macro_alone(backend: Backend) -> None:
    # Positions in the Frame Content Sequence, and none in a Plane Position Sequence.
    data = enhanced(2)
    moved = data.replace(bytes.fromhex("20001391"), bytes.fromhex("20001191"))
    assert data.count(bytes.fromhex("20001391")) == 2
    assert td.load(data, backend=backend).affine is not None
    assert td.load(moved, backend=backend).affine is None


def test_slopes_of_frames(backend: Backend) -> None:
    data = enhanced(2, per_frame={"RescaleSlope": [1, 2.5], "RescaleIntercept": [0, -7]})
    volume = td.load(data, backend=backend)
    assert volume.data[:, 0, 1].tolist() == [1, 245.5]
    assert [(one.slope, one.intercept) for one in volume.provenance] == [(1, 0), (2.5, -7)]
    decoded = td.decode(data, output="modality", frames=[1, 0], backend=backend)
    assert decoded[:, 0, 1].tolist() == [245.5, 1]
    with expect_error("integer_dtype", element="RescaleSlope"):
        td.load(data, dtype=torch.int32, backend=backend)


@pytest.mark.parametrize(
    ("attributes", "shared", "unit"),
    [
        ({"SOPClassUID": ENHANCED_CT, "Modality": "CT"}, {"RescaleType": "HU"}, "HU"),
        ({"SOPClassUID": ENHANCED_CT, "Modality": "CT"}, {}, "HU"),
        ({"SOPClassUID": ENHANCED_PET, "Modality": "PT"}, {"RescaleType": "BQML"}, "BQML"),
        ({"SOPClassUID": ENHANCED_PET, "Modality": "PT", "Units": "GML"}, {}, "GML"),
        ({"SOPClassUID": ENHANCED_PET, "Modality": "PT"}, {"RescaleType": "US"}, None),
        ({}, {"RescaleType": "US"}, None),
    ],
)
def test_units_of_frames(
    backend: Backend, attributes: dict[str, Any], shared: dict[str, Any], unit: str | None
) -> None:
    common = {"RescaleSlope": 2, "RescaleIntercept": 0, **shared}
    assert td.load(enhanced(2, shared=common, **attributes), backend=backend).units == unit


def test_window_is_that_of_the_middle_frame(backend: Backend) -> None:
    window = {"WindowCenter": [1, 200, 1], "WindowWidth": [2, 400, 2]}
    shared = {"VOILUTFunction": "LINEAR_EXACT"}
    data = enhanced(3, shared=shared, per_frame=window)
    volume = td.load(data, output="window", backend=backend)
    assert firsts(volume) == [0, 0.25, 0.5]
    decoded = td.decode(data, output="window", frames=[2], backend=backend)
    assert decoded[0, 0, 0] == 0.5


def test_ultrasound_lies_in_the_space_of_its_transducer(backend: Backend) -> None:
    data = enhanced(
        3,
        shared={"ImageOrientationPatient": None, "ImageOrientationVolume": (1, 0, 0, 0, 1, 0)},
        per_frame={
            "ImagePositionPatient": [None] * 3,
            "ImagePositionVolume": [(1, 2, 3.0 + i) for i in range(3)],
        },
        SOPClassUID=ENHANCED_US,
        Modality="US",
    )
    volume = td.load(data, backend=backend)
    assert volume.space == "VOLUME"
    assert affine_of(volume)[:, 3].tolist() == [1, 2, 3, 1]


def test_angiography_without_places_is_a_cine(backend: Backend) -> None:
    data = enhanced(
        3,
        shared={"ImageOrientationPatient": None, "PixelSpacing": None, "SliceThickness": None},
        per_frame={"ImagePositionPatient": [None] * 3, "ImagerPixelSpacing": [(0.3, 0.2)] * 3},
        SOPClassUID=ENHANCED_XA,
        Modality="XA",
        FrameTime=40,
    )
    volume = td.load(data, backend=backend)
    assert volume.dims == ("t", "z", "y", "x")
    assert volume.data[:, 0, 0, 0].tolist() == [0, 100, 200]
    assert volume.coords["t"]["FrameTime"].tolist() == [0, 40, 80]
    assert volume.spacing_mm[1:] == (0.3, 0.2)
    assert volume.metadata["spacing_source"] == "ImagerPixelSpacing"


# --- several series in one file

SPLIT: dict[str, tuple[dict[str, list[Any]], str]] = {
    "stacks": ({"StackID": ["a", "a", "b", "b"]}, "StackID a"),
    "echoes": ({"EffectiveEchoTime": [2.5, 2.5, 5, 5]}, "EchoTime 2.5"),
    "components": ({"ComplexImageComponent": ["M", "M", "PHASE", "PHASE"]}, "image component M"),
    "frame types": ({"MRFrameType": ["ORIGINAL\\PRIMARY"] * 2 + ["DERIVED\\PRIMARY"] * 2}, "DERI"),
    "flip angles": ({"FlipAngle": [5, 5, 20, 20]}, "FlipAngle 5"),
    "repetition times": ({"RepetitionTime": [500, 500, 900, 900]}, "RepetitionTime 500"),
    "coils": ({"ReceiveCoilName": ["left"] * 2 + ["right"] * 2}, "ReceiveCoilName left"),
    "spacings": ({"PixelSpacing": [(1, 1)] * 2 + [(2, 2)] * 2}, "PixelSpacing 1"),
}


@pytest.mark.parametrize("name", SPLIT)
def test_frames_of_several_series(tmp_path: Path, backend: Backend, name: str) -> None:
    own, told = SPLIT[name]
    places = [(0, 0, 0), (0, 0, 2)] * 2
    own = {"ImagePositionPatient": places, **own}
    kind = "ORIGINAL\\PRIMARY\\T1\\NONE"
    path = write_enhanced(tmp_path / "a.dcm", 4, per_frame=own, ImageType=kind)
    with expect_error("several_series", match=told) as caught:
        td.load(path, backend=backend)
    parts = [td.load(path, series=key, backend=backend) for key in keys_in(caught.value)]
    assert [firsts(one) for one in parts] == [[0, 100], [200, 300]]
    assert "1 file of 3x4" in str(caught.value)


def test_localizers_of_a_file_are_left_aside(tmp_path: Path, backend: Backend) -> None:
    kinds = ["ORIGINAL\\PRIMARY\\LOCALIZER"] + ["ORIGINAL\\PRIMARY\\VOLUME"] * 2
    path = write_enhanced(
        tmp_path / "a.dcm",
        3,
        per_frame={
            "CTFrameType": kinds,
            "ImageOrientationPatient": [(1, 0, 0, 0, 0, -1)] + [(1, 0, 0, 0, 1, 0)] * 2,
        },
        SOPClassUID=ENHANCED_CT,
        Modality="CT",
    )
    volume = td.load(path, backend=backend)
    assert firsts(volume) == [100, 200]
    (defect,) = volume.verdict.defects
    assert (defect.code, defect.files, defect.measured) == ("localizer", (str(path),), {"files": 1})


def test_metadata_is_that_of_the_frames(backend: Backend) -> None:
    shared = {"EffectiveEchoTime": 2.5, "RepetitionTime": 500, "FlipAngle": 15}
    volume = td.load(enhanced(2, shared=shared), backend=backend)
    found = {name: volume.metadata[name] for name in ("EchoTime", "RepetitionTime", "FlipAngle")}
    assert found == {"EchoTime": 2.5, "RepetitionTime": 500, "FlipAngle": 15}
    assert volume.metadata["SliceThickness"] == 2


# --- copies and concatenations


def test_copy_of_a_file_is_left_out_as_one(tmp_path: Path, backend: Backend) -> None:
    path = write_enhanced(tmp_path / "a.dcm", 3)
    copy = write_enhanced(tmp_path / "b.dcm", 3)
    volume = td.load(tmp_path, backend=backend)
    assert {one.path for one in volume.provenance} == {str(path)}
    (defect,) = volume.verdict.defects
    assert (defect.code, defect.files) == ("duplicate_files", (str(copy),))
    assert defect.measured == {"copies": 1}


def write_parts(folder: Path, numbers: list[int], total: int) -> list[Path]:
    """Parts of a concatenation of two frames each."""
    return [
        write_enhanced(
            folder / f"{number}.dcm",
            2,
            per_frame={
                "ImagePositionPatient": [(0, 0, 2.0 * k) for k in (2 * number, 2 * number + 1)]
            },
            SOPInstanceUID=f"1.2.3.4.{number}",
            ConcatenationUID=CONCATENATION,
            InConcatenationNumber=number,
            InConcatenationTotalNumber=total,
        )
        for number in numbers
    ]


def test_concatenation_is_one_volume(tmp_path: Path, backend: Backend) -> None:
    write_parts(tmp_path, [1, 2, 3], 3)
    volume = td.load(tmp_path, backend=backend)
    assert volume.data.shape == (6, 3, 4)
    assert volume.verdict == td.Verdict(ok=True)


def test_parts_of_several_concatenations_are_missing(tmp_path: Path, backend: Backend) -> None:
    place = {"ImagePositionPatient": [(0, 0, 20)]}
    uids = {"SOPInstanceUID": "1.2.3.4.8", "ConcatenationUID": "1.2.3.4.98"}
    other = write_enhanced(
        tmp_path / "z.dcm", 1, per_frame=place, InConcatenationTotalNumber=3, **uids
    )
    write_parts(tmp_path, [1, 2], 3)
    allowed = td.Policy(missing_slices="allow", uneven_spacing="allow")
    defect = td.load(tmp_path, policy=allowed, backend=backend).verdict.defects[0]
    assert (defect.measured, defect.files) == ({"missing": 3}, (str(other),))


def test_part_of_a_concatenation_is_missing(tmp_path: Path, backend: Backend) -> None:
    paths = write_parts(tmp_path, [1, 2], 3)
    with expect_error("missing_slices", match="concatenation"):
        td.load(tmp_path, backend=backend)
    allowed = td.load(tmp_path, policy=td.Policy(missing_slices="allow"), backend=backend)
    assert firsts(allowed) == [0, 100, 0, 100]
    (defect,) = allowed.verdict.defects
    assert (defect.measured, defect.files) == ({"missing": 1}, (str(paths[0]),))


def test_fill_makes_up_for_no_file(tmp_path: Path, backend: Backend) -> None:
    write_parts(tmp_path, [1, 2], 3)
    policy = td.Policy(missing_slices="fill")
    with expect_error("missing_slices", match="missing_slices='fill' cannot tell where"):
        td.load(tmp_path, policy=policy, backend=backend)


def write_stacks(folder: Path, numbers: list[int]) -> list[Path]:
    """Of a concatenation of three files, each a stack of its own."""
    return [
        write_enhanced(
            folder / f"{number}.dcm",
            2,
            per_frame={
                "ImagePositionPatient": [(0, 0, 2.0 * k) for k in range(2)],
                "StackID": [str(number)] * 2,
            },
            SOPInstanceUID=f"1.2.3.4.{number}",
            ConcatenationUID=CONCATENATION,
            InConcatenationNumber=number,
            InConcatenationTotalNumber=3,
        )
        for number in numbers
    ]


def test_concatenation_of_stacks_is_judged_as_a_whole(tmp_path: Path, backend: Backend) -> None:
    write_stacks(tmp_path, [1, 2, 3])
    index = td.scan(tmp_path)
    assert [one.verdict.ok for one in index.series] == [True] * 3
    for series in index.series:
        for source in (tmp_path, series):
            options: dict[str, Any] = {} if source is series else {"series": series.key}
            volume = td.load(source, backend=backend, **options)
            assert volume.data.shape == (2, 3, 4)
            assert volume.verdict == td.Verdict(ok=True)


def test_stack_of_a_concatenation_is_missing(tmp_path: Path, backend: Backend) -> None:
    paths = write_stacks(tmp_path, [1, 3])
    allow = td.Policy(missing_slices="allow")
    for series in td.scan(tmp_path).series:
        path = next(one for one in paths if str(one) in series.paths)
        (defect,) = series.verdict.defects
        assert (defect.code, defect.measured) == ("missing_slices", {"missing": 1})
        assert defect.files == (str(path),)
        for source in (tmp_path, series):
            options: dict[str, Any] = {} if source is series else {"series": series.key}
            with expect_error("missing_slices", path=path):
                td.load(source, backend=backend, **options)
            volume = td.load(source, policy=allow, backend=backend, **options)
            (defect,) = volume.verdict.defects
            assert (defect.files, defect.measured) == ((str(path),), {"missing": 1})


def test_repeats_within_one_file_name_it_once(tmp_path: Path, backend: Backend) -> None:
    path = write_enhanced(tmp_path / "a.dcm", 2, shared={"ImagePositionPatient": (0, 0, 0)})
    with expect_error("duplicate_positions", path=path) as caught:
        td.load(path, backend=backend)
    assert str(caught.value.args[0]).count(str(path)) <= 1


# --- what is wrong with groups


def test_damage_that_no_frame_uses(backend: Backend) -> None:
    # Its own orientation counts more than that of all frames, and is no reason to trust the file.
    own: dict[str, Any] = {"ImageOrientationPatient": [(1, 0, 0, 0, 1, 0)] * 2}
    data = enhanced(2, per_frame=own, shared={"PixelSpacing": (1, 1), "ImageOrientationPatient": 7})
    with expect_error("invalid_multiplicity", element="(0020,0037) ImageOrientationPatient"):
        td.load(data, backend=backend)
    assert td.decode(data, backend=backend).shape == (2, 3, 4)


@pytest.mark.parametrize("undefined", [False, True])
def test_attribute_that_is_twice_in_an_item(backend: Backend, *, undefined: bool) -> None:
    slope = Element(0x00281053, "DS", "2")
    macro = sequence(0x00289145, [slope, slope], undefined=undefined)
    usual = group({"ImageOrientationPatient": (1, 0, 0, 0, 1, 0), "PixelSpacing": (1, 1)})
    of_file: dict[str, Any] = {SHARED: [[*usual, macro]]}
    with expect_error("invalid_multiplicity", element="(0028,1053) RescaleSlope"):
        td.load(enhanced(2, **of_file), backend=backend)
    # What is private is its vendor's.
    private = Element(0x00091010, "LO", "twice")
    macro = sequence(0x00289145, [private, slope, private], undefined=undefined)
    of_file = {SHARED: [[*usual, macro]]}
    assert td.load(enhanced(2, **of_file), backend=backend).data[0, 0, 1] == 2


@pytest.mark.parametrize("number", [1, 3])
def test_groups_of_another_number_of_frames(tmp_path: Path, backend: Backend, number: int) -> None:
    place = {"ImagePositionPatient": (0, 0, 0)}
    path = write_enhanced(tmp_path / "a.dcm", 2, **{PER_FRAME: [group(place)] * number})
    for call in (td.load, lambda *a, **k: td.decode(*a, output="modality", **k)):
        with expect_error("frame_count_mismatch", path=path) as caught:
            call(path, backend=backend)
        assert caught.value.element == f"(5200,9230) {PER_FRAME}"
    assert td.decode(path, backend=backend).shape == (2, 3, 4)


def test_no_groups_of_frames_are_fine(backend: Backend) -> None:
    none: dict[str, Any] = {PER_FRAME: None}
    data = enhanced(1, shared={"ImagePositionPatient": (1, 2, 3)}, **none)
    assert td.load(data, backend=backend).provenance[0].position_mm == (1, 2, 3)
    none = {PER_FRAME: [], SHARED: []}
    data = enhanced(1, **none)
    assert codes(td.load(data, policy=td.Policy(no_position="allow"), backend=backend)) == [
        "no_position"
    ]


@pytest.mark.parametrize(
    ("own", "code"),
    [
        ({"RescaleSlope": ["1,5", 1]}, "invalid_decimal_string"),
        ({"ImagePositionPatient": [(1, 2), (1, 2)]}, "invalid_multiplicity"),
        ({"EffectiveEchoTime": [b"\0\0\0\0", 1]}, "invalid_multiplicity"),
        ({"TemporalPositionIndex": [b"\1\0", 1]}, "invalid_multiplicity"),
        ({"DiffusionGradientOrientation": [(1, 0), (1, 0)]}, "invalid_multiplicity"),
    ],
)
def test_malformed_values_of_frames(
    tmp_path: Path, backend: Backend, own: dict[str, list[Any]], code: str
) -> None:
    path = write_enhanced(tmp_path / "a.dcm", 2, per_frame=own)
    with expect_error(code, path=path):
        td.load(path, backend=backend)


def test_numbers_that_are_none_are_absent(backend: Backend) -> None:
    own = {"EffectiveEchoTime": [float("nan"), float("inf")]}
    assert td.load(enhanced(2, per_frame=own), backend=backend).metadata.get("EchoTime") is None


def test_unknown_syntax_is_told_as_such(backend: Backend) -> None:
    data = enhanced(1, syntax=UNKNOWN, pixel_element=encapsulated([[b"ab"]]))
    with expect_error("not_a_volume", element="TransferSyntaxUID"):
        td.load(data, backend=backend)


# --- real-world maps


def test_maps_of_frame_then_of_all_then_of_the_file(backend: Backend) -> None:
    maps = {name: [real_world_map(2, k)] for k, name in enumerate(["frame", "shared", "top"])}
    keyword = "RealWorldValueMappingSequence"
    top: dict[str, Any] = {keyword: maps["top"]}
    of_all = {"shared": {keyword: maps["shared"]}}
    groups: list[dict[str, Any]] = [
        {"per_frame": {keyword: [maps["frame"]] * 2}, **of_all},
        of_all,
        {},
    ]
    for expected, options in enumerate(groups):
        data = enhanced(2, **options, **top)
        volume = td.load(data, output="real_world", backend=backend)
        assert firsts(volume) == [expected, 200 + expected]
        decoded = td.decode(data, output="real_world", frames=[1], backend=backend)
        assert decoded[0, 0, 0] == 200 + expected


def test_labels_of_maps(backend: Backend) -> None:
    maps = [real_world_map(2, 0, label="a"), real_world_map(3, 0, label="b")]
    data = enhanced(2, shared={"RealWorldValueMappingSequence": maps})
    with expect_error("several_real_world_maps"):
        td.load(data, output="real_world", backend=backend)
    volume = td.load(data, output="real_world", rwvm="b", backend=backend)
    assert firsts(volume) == [0, 300]


def test_ranges_of_maps_are_in_the_mask(backend: Backend) -> None:
    maps = [[real_world_map(1, 0, first=0, last=5)], [real_world_map(1, 0, first=105, last=200)]]
    data = enhanced(2, per_frame={"RealWorldValueMappingSequence": maps})
    volume = td.load(data, output="real_world", mask=True, backend=backend)
    assert volume.valid_mask is not None
    assert volume.valid_mask.sum(dim=(1, 2)).tolist() == [6, 7]


def test_implicit_sequence_of_unknown_vr(backend: Backend) -> None:
    """Groups that a system passed on without knowing them (PS3.5 6.2.2)."""
    shared = group({"RescaleSlope": 3, "RescaleIntercept": 1})
    value = item(encode(shared, IMPLICIT))
    unknown = Element(0x52009229, "UN", value)
    none: dict[str, Any] = {SHARED: None}
    data = enhanced(
        2,
        per_frame={
            "ImageOrientationPatient": [(1, 0, 0, 0, 1, 0)] * 2,
            "PixelSpacing": [(1, 1)] * 2,
        },
        extra=[unknown],
        **none,
    )
    assert firsts(td.load(data, backend=backend)) == [1, 301]


def test_cells_of_frames_in_order() -> None:
    assert np.frombuffer(enhanced(2)[-24:], "<i2")[0] == 100


def test_malformed_map_is_an_error_of_those_who_use_maps(backend: Backend) -> None:
    broken = [*real_world_map(2, 1)[:5], Element(0x00409225, "FD", b"\0\0\0\0")]
    groups = {"RealWorldValueMappingSequence": [broken], "RescaleSlope": 2, "RescaleIntercept": 1}
    assert firsts(td.load(enhanced(2, shared=groups), backend=backend)) == [1, 201]
    with expect_error("invalid_multiplicity", element="(0040,9225) RealWorldValueSlope"):
        td.load(enhanced(2, shared=groups), output="real_world", backend=backend)


def test_malformed_spacing_that_nothing_uses_is_no_error(backend: Backend) -> None:
    assert firsts(td.load(ct_slice(SpacingBetweenSlices=(1, 2)), backend=backend)) == [-1024]


def test_components_of_one_file_are_series_apart(tmp_path: Path, backend: Backend) -> None:
    own: dict[str, Any] = {
        "ImagePositionPatient": [(0, 0, z) for z in (0, 2, 0, 2)],
        "ComplexImageComponent": ["MAGNITUDE"] * 2 + ["PHASE"] * 2,
        "FrameAcquisitionNumber": [1, 1, 2, 2],
    }
    # What ImageType says of all, M, does not count.
    (tmp_path / "a.dcm").write_bytes(enhanced(4, per_frame=own))
    with expect_error("several_series", match="image component P"):
        td.load(tmp_path, backend=backend)
    assert [one.shape for one in td.scan(tmp_path).series] == [(2, 3, 4)] * 2
