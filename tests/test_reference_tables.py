"""Modality LUTs and real-world maps of the reference, against literals."""

from __future__ import annotations

import struct
from typing import TYPE_CHECKING, Any

import numpy as np
import pytest
import torch

import torchdicom as td
from builders import BIG, DEFLATED, EXPLICIT, IMPLICIT, Element, ct_slice, sequence
from builders_reference import (
    NO_RESCALE,
    RGB,
    form,
    modality_lut,
    native,
    real_world,
    real_world_item,
    words,
)
from test_reference import load
from test_reference_forms import code_of, decode

if TYPE_CHECKING:
    from builders import Syntax

SIGNED = form(1, 4, 16, PixelRepresentation=1)
MAPS = "(0040,9096) RealWorldValueMappingSequence"


def mapped(
    *extra: Element, stored: tuple[int, ...] = (-3, 0, 1, 9), syntax: Syntax = EXPLICIT, **more: Any
) -> bytes:
    value = words(*(number & 0xFFFF for number in stored), order=syntax.order)
    return native(value, syntax, extra=extra, **(SIGNED | NO_RESCALE | more))


# --- Modality LUT


@pytest.mark.parametrize("syntax", [EXPLICIT, IMPLICIT, BIG, DEFLATED])
@pytest.mark.parametrize("undefined", [False, True])
def test_modality_lut_takes_the_place_of_the_rescale(syntax: Syntax, undefined: bool) -> None:  # noqa: FBT001
    data = words(100, 200, 65535, order=syntax.order)
    descriptor = words(3, 0xFFFF, 16, order=syntax.order)
    lut = modality_lut(data, 3, -1, undefined=undefined, descriptor=descriptor)
    file = mapped(lut, syntax=syntax, RescaleSlope=7, RescaleIntercept=7)
    values = decode(file, output="modality")
    assert (values.dtype, values.tolist()) == (torch.float32, [[[100, 200, 65535, 65535]]])
    assert decode(file, output="modality", dtype=torch.int32).tolist() == values.tolist()
    assert decode(file).tolist() == [[[-3, 0, 1, 9]]]


@pytest.mark.parametrize(
    ("kind", "units"), [("OD", "OD"), ("HU", "HU"), ("US", None), ("anything", "anything")]
)
def test_units_of_a_modality_lut(kind: str, units: str | None) -> None:
    volume = load(mapped(modality_lut(words(1, 2), 2, 0, kind=kind)))
    assert (volume.units, volume.data[0, 0].tolist()) == (units, [1, 1, 2, 2])
    assert (volume.provenance[0].slope, volume.provenance[0].intercept) == (1, 0)
    assert load(mapped(modality_lut(words(1, 2), 2, 0, kind=kind)), output="stored").units is None


def test_modality_lut_of_unsigned_values_and_bytes() -> None:
    # 65534 is the first; entries of 8 bits stand two to a word.
    lut = modality_lut(bytes([5, 6, 7, 8]), 4, -2, bits=8)
    file = mapped(lut, stored=(65533, 65534, 65535, 0), PixelRepresentation=0)
    assert decode(file, output="modality").tolist() == [[[5, 5, 6, 5]]]


def test_sequence_without_an_item_is_no_lut() -> None:
    empty = sequence(0x00283000)
    file = mapped(empty, RescaleSlope=2, RescaleIntercept=1)
    assert decode(file, output="modality").tolist() == [[[-5, 1, 3, 19]]]


@pytest.mark.parametrize(
    ("lut", "code", "element"),
    [
        (modality_lut(words(1), 5, 0), "invalid_value", "(0028,3006) LUTData"),
        (modality_lut(b"", 2, 0), "missing_element", "(0028,3006) LUTData"),
        (modality_lut(words(1, 2), 2, 0, bits=12), "invalid_value", "(0028,3002) LUTDescriptor"),
        (
            modality_lut(words(1, 2), 2, 0, descriptor=b""),
            "missing_element",
            "(0028,3002) LUTDescriptor",
        ),
        (
            modality_lut(words(1, 2), 2, 0, descriptor=words(2, 0)),
            "invalid_multiplicity",
            "(0028,3002) LUTDescriptor",
        ),
    ],
    ids=["short", "no data", "bits", "no descriptor", "two values"],
)
def test_damaged_modality_luts(lut: Element, code: str, element: str) -> None:
    assert code_of(mapped(lut), output="modality") == (code, element)
    assert decode(mapped(lut)).tolist() == [[[-3, 0, 1, 9]]]  # a matter of modality values alone


# --- real-world maps


@pytest.mark.parametrize("shared", [False, True])
@pytest.mark.parametrize("syntax", [EXPLICIT, IMPLICIT])
def test_linear_map(syntax: Syntax, shared: bool) -> None:  # noqa: FBT001
    item = real_world_item("ADC", -1, 8, slope=0.1, intercept=0.7)
    file = mapped(real_world(item, shared=shared), syntax=syntax)
    values = decode(file, output="real_world", dtype=torch.float64)
    assert values[0, 0].tolist() == [-3 * 0.1 + 0.7, 0.7, 0.1 + 0.7, 9 * 0.1 + 0.7]
    assert decode(file, output="real_world", rwvm="ADC", dtype=torch.float64).equal(values)
    assert decode(file, output="real_world").dtype == torch.float32
    if not shared:
        # There is nothing else that modality values could be.
        assert decode(file, output="modality", dtype=torch.float64).equal(values)


def test_volume_of_a_map_has_its_unit_range_and_slope() -> None:
    item = real_world_item("ADC", -1, 8, slope=2.0, intercept=1.0, unit="mm2/s")
    volume = load(mapped(real_world(item), PixelPaddingValue=0), output="real_world", mask=True)
    assert (volume.units, volume.data[0, 0].tolist()) == ("mm2/s", [-5, 1, 3, 19])
    assert volume.valid_mask is not None
    # -3 and 9 are out of range, and 0 is padding.
    assert volume.valid_mask[0, 0].tolist() == [False, False, True, False]
    assert (volume.provenance[0].slope, volume.provenance[0].intercept) == (2, 1)


def test_rescale_comes_before_a_map() -> None:
    item = real_world_item("ADC", -9, 9, slope=5.0, intercept=0.0)
    file = mapped(real_world(item), RescaleSlope=2)
    assert decode(file, output="modality").tolist() == [[[-6, 0, 2, 18]]]
    assert decode(file, output="real_world").tolist() == [[[-15, 0, 5, 45]]]


def test_table_of_doubles() -> None:
    item = real_world_item("T", -1, 1, lut=np.array([0.5, 1e300, -4.0]))
    file = mapped(real_world(item))
    values = decode(file, output="real_world", dtype=torch.float64)
    assert values[0, 0].tolist() == [0.5, 1e300, -4.0, -4.0]
    with pytest.raises(td.LimitError, match=r"0\.5 .* int16") as caught:
        decode(file, output="real_world", dtype=torch.int16)
    assert caught.value.code == "value_overflow"


def test_several_maps() -> None:
    items = [
        real_world_item(name, -9, 9, slope=float(n), intercept=0.0)
        for n, name in ((2, "A"), (3, "B"))
    ]
    file = mapped(real_world(*items))
    assert decode(file, output="real_world", rwvm="B").tolist() == [[[-9, 0, 3, 27]]]
    for options in ({}, {"rwvm": "C"}):
        with pytest.raises(td.UnsupportedError, match="'A', 'B'") as caught:
            decode(file, output="real_world", **options)
        assert (caught.value.code, caught.value.element) == ("several_real_world_maps", MAPS)
    assert decode(file, output="modality").tolist() == [[[-3, 0, 1, 9]]]  # which one is not said


def test_no_map() -> None:
    assert code_of(mapped(), output="real_world") == ("no_real_world_map", MAPS)
    colors = native(bytes(12), **(form(2, 2, 8) | RGB))
    assert code_of(colors, output="real_world", rwvm="A") == ("no_real_world_map", MAPS)
    with pytest.raises(ValueError, match="rwvm='A' names a real-world map"):
        decode(mapped(), rwvm="A")


def test_map_of_floating_point_samples() -> None:
    item = real_world_item("D", 0, 2, slope=0.5, intercept=0.25, doubles=True)
    # Bounds of integers are not asked where there are those of doubles.
    item += [Element(tag, "US", 0) for tag in (0x00409211, 0x00409216)]
    attributes: dict[str, Any] = {**form(1, 3, 32), **NO_RESCALE, "BitsStored": None}
    attributes |= {"HighBit": None, "PixelRepresentation": None}
    attributes["FloatPixelData"] = struct.pack("<3f", -1, 1.5, 2.5)
    file = ct_slice(extra=[real_world(sorted(item, key=lambda one: one.tag))], **attributes)
    volume = load(file, output="real_world", mask=True)
    assert volume.data[0, 0].tolist() == [-0.25, 1.0, 1.5]
    assert volume.valid_mask is not None
    assert volume.valid_mask[0, 0].tolist() == [False, True, False]
    table = real_world(real_world_item("D", 0, 1, lut=np.array([1.0, 2.0]), doubles=True))
    found = code_of(ct_slice(extra=[table], **attributes), output="real_world")
    assert found == ("unsupported_pixel_format", "(7FE0,0008) FloatPixelData")


@pytest.mark.parametrize(
    ("item", "code", "element"),
    [
        (
            real_world_item("A", 0, 1, intercept=0.0),
            "missing_element",
            "(0040,9225) RealWorldValueSlope",
        ),
        (
            real_world_item("A", 0, 1, slope=1.0),
            "missing_element",
            "(0040,9224) RealWorldValueIntercept",
        ),
        (
            [one for one in real_world_item("A", 0, 1, 1.0, 0.0) if one.tag != 0x00409211],
            "missing_element",
            "(0040,9211) RealWorldValueLastValueMapped",
        ),
    ],
    ids=["slope", "intercept", "last"],
)
def test_maps_that_lack_something(item: list[Element], code: str, element: str) -> None:
    assert code_of(mapped(real_world(item)), output="real_world") == (code, element)


def test_integers_need_a_map_of_integers() -> None:
    for slope, intercept, keyword in ((0.5, 0.0, "Slope"), (1.0, 0.5, "Intercept")):
        file = mapped(real_world(real_world_item("A", -9, 9, slope, intercept)))
        code, element = code_of(file, output="real_world", dtype=torch.int32)
        assert code == "integer_dtype"
        assert element is not None
        assert element.endswith(f"RealWorldValue{keyword}")


def test_only_map_of_the_shared_group_makes_modality_values() -> None:
    item = real_world_item("A", -9, 9, slope=2.0, intercept=0.0)
    file = mapped(real_world(item, shared=True))
    assert torch.equal(decode(file, output="modality"), decode(file, output="real_world"))
