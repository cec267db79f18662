"""Philips' values in floating point: (stored * RS + RI) / (RS * SS), SS of (2005,100E)."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np
import pytest
import torch

import torchdicom as td
from builders import BIG, EXPLICIT, IMPLICIT, MR_IMAGE, Element, ct_slice, sequence, write_series
from builders_pet import scale_slope
from builders_quantity import in_group, philips_file
from helpers import expect_error, syntax_id

if TYPE_CHECKING:
    from pathlib import Path

    from builders import Syntax
    from helpers import Backend

MR: dict[str, Any] = {
    "SOPClassUID": MR_IMAGE,
    "Modality": "MR",
    "RescaleSlope": 2,
    "RescaleIntercept": 4,
}
OUTPUT: dict[str, Any] = {"output": "philips_fp", "dtype": torch.float64}
TAG = "(2005,100E)"


def values(data: bytes, backend: Backend) -> list[float]:
    """The first row, by load and by decode."""
    volume = td.load(data, backend=backend, **OUTPUT)
    assert volume.units is None
    assert volume.data.equal(td.decode(data, backend=backend, **OUTPUT))
    row: list[float] = volume.data[0, 0].tolist()
    return row


# In implicit VR nothing tells text from numbers.
@pytest.mark.parametrize(
    ("syntax", "vr", "value"),
    [
        *((syntax, vr, 0.25) for syntax in (IMPLICIT, EXPLICIT, BIG) for vr in ("FL", "FD")),
        *((syntax, "DS", "0.250") for syntax in (EXPLICIT, BIG)),
    ],
    ids=str,
)
def test_values(backend: Backend, syntax: Syntax, vr: str, value: Any) -> None:
    # (k * 2 + 4) / (2 * 0.25).
    data = ct_slice(**MR, extra=scale_slope(value, vr), syntax=syntax)
    assert values(data, backend) == [8, 12, 16, 20]
    volume = td.load(data, output="philips_fp", backend=backend)
    assert volume.data[0, 1].tolist() == [24, 28, 32, 36]
    assert (volume.provenance[0].slope, volume.provenance[0].intercept) == (2, 4)


def test_it_is_a_quotient(backend: Backend) -> None:
    # Of a real scan; multiplying by the reciprocal would give other bits.
    cells = np.arange(0, 4096, dtype=np.int16).reshape(64, 64)
    attributes = {**MR, "RescaleSlope": "1.39804639804639", "RescaleIntercept": "-0.7"}
    data = ct_slice(cells, **attributes, extra=scale_slope(0.0002765719254966825, "FD"))
    rescaled = cells.astype(np.float64) * 1.39804639804639 - 0.7
    expected = rescaled / (1.39804639804639 * 0.0002765719254966825)
    found = td.load(data, backend=backend, **OUTPUT).data[0]
    assert found.equal(torch.from_numpy(expected))


def test_block_and_creator(backend: Backend) -> None:
    one, *rest = scale_slope(0.25, block=0x14)
    assert values(ct_slice(**MR, extra=[one, *rest]), backend) == [8, 12, 16, 20]
    other = Element(0x20050010, "LO", "Philips MR Imaging DD 002")
    wrong = Element(0x2005100E, "FL", 100.0)
    both = ct_slice(**MR, extra=[other, wrong, one, *rest])
    assert values(both, backend) == [8, 12, 16, 20]
    for extra in ([other, wrong], rest, [one]):
        with expect_error("philips_fp_not_possible", element=TAG):
            td.load(ct_slice(**MR, extra=extra), output="philips_fp", backend=backend)


def test_each_slice_has_its_own(tmp_path: Path, backend: Backend) -> None:
    extra = [scale_slope(one) for one in (0.25, 0.5, 1.0)]
    pixels = [np.full((2, 2), 6, np.int16)] * 3
    paths = write_series(tmp_path, 3, pixels=pixels, **MR, extra=extra)
    for source in (tmp_path, td.scan(tmp_path).series[0]):
        found = td.load(source, output="philips_fp", backend=backend).data
        assert found[:, 0, 0].tolist() == [32, 16, 8]
        part = td.load(source, output="philips_fp", slices=[2, 0, 2], backend=backend).data
        assert part[:, 1, 1].tolist() == [8, 32, 8]
    # A table of results is of no use where slices differ in what they are divided by.
    volumes = td.VolumeDataset(tmp_path, output="philips_fp", window=(16, 32))
    assert volumes[0]["image"][0, :, 0, 0].tolist() == [1.0, 0.5, 0.25]
    write_series(tmp_path, 3, pixels=pixels, **MR, extra=[extra[0], [], extra[2]])
    with expect_error("philips_fp_not_possible", element=TAG, path=paths[1]):
        td.load(tmp_path, output="philips_fp", backend=backend)
    assert td.load(tmp_path, output="philips_fp", slices=0, backend=backend).data.max() == 32


@pytest.mark.parametrize("value", [0.0, -0.25, float("nan"), float("inf")])
def test_scale_slopes_that_cannot_be(backend: Backend, value: float) -> None:
    data = ct_slice(**MR, extra=scale_slope(value))
    for call in (td.load, td.decode):
        with expect_error("philips_fp_not_possible", element=TAG, match="output='modality'"):
            call(data, output="philips_fp", backend=backend)


@pytest.mark.parametrize(
    ("vr", "value"), [("DS", "a quarter"), ("DS", ""), ("FL", b"\0\0"), ("FL", (0.25, 0.5, 1.0))]
)
def test_scale_slopes_that_are_malformed(backend: Backend, vr: str, value: Any) -> None:
    data = ct_slice(**MR, extra=scale_slope(value, vr))
    with expect_error("philips_fp_not_possible", element=TAG):
        td.load(data, output="philips_fp", backend=backend)
    assert td.load(data, backend=backend).data[0, 0, 0] == 4


def test_what_has_no_slope(backend: Backend) -> None:
    for attributes, name in (
        ({"RescaleSlope": None}, "RescaleSlope"),
        ({"PhotometricInterpretation": "PALETTE COLOR"}, "PhotometricInterpretation"),
    ):
        data = ct_slice(**{**MR, **attributes}, extra=scale_slope(0.25))
        with expect_error("philips_fp_not_possible", element=name):
            td.load(data, output="philips_fp", backend=backend)


# --- enhanced files: in a sequence of each frame's group


@pytest.mark.parametrize("syntax", [IMPLICIT, EXPLICIT, BIG], ids=syntax_id)
@pytest.mark.parametrize("undefined", [False, True])
def test_each_frame_has_its_scale_slope(
    tmp_path: Path, backend: Backend, syntax: Syntax, *, undefined: bool
) -> None:
    own = [in_group(0.25, undefined=undefined), in_group(0.5, 100.0, undefined=undefined)]
    data = philips_file(own, syntax=syntax)
    volume = td.load(data, backend=backend, **OUTPUT)
    # (2 k + 4) / (2 * 0.25), and / (2 * 0.5).
    assert volume.data.flatten(1).tolist() == [[8, 12, 16, 20], [4, 6, 8, 10]]
    assert volume.data.equal(td.decode(data, backend=backend, **OUTPUT))
    (tmp_path / "a.dcm").write_bytes(data)
    (series,) = td.scan(tmp_path).series
    part = td.load(series, slices=[1], backend=backend, **OUTPUT)
    assert part.data.flatten().tolist() == [4, 6, 8, 10]


def test_scale_slope_of_all_frames(backend: Backend) -> None:
    data = philips_file([in_group(0.5), []], in_group(0.25), extra=scale_slope(7.0))
    assert td.load(data, backend=backend, **OUTPUT).data[:, 0, 0].tolist() == [4, 8]
    data = philips_file([in_group(0.5), []], extra=scale_slope(0.25))
    assert td.load(data, backend=backend, **OUTPUT).data[:, 0, 0].tolist() == [4, 8]


@pytest.mark.parametrize(
    "own",
    [
        [],
        in_group(),
        in_group(0.25, creator="Philips MR Imaging DD 004"),
        in_group(0.25)[1:],
        [Element(0x20050014, "LO", "Philips MR Imaging DD 005"), Element(0x2005140F, "SQ", b"bad")],
        in_group(0.0),
    ],
    ids=["absent", "no item", "creator", "no creator", "damaged", "zero"],
)
def test_frames_without_a_scale_slope(backend: Backend, own: list[Element]) -> None:
    data = philips_file([in_group(0.25), own])
    for call in (td.load, td.decode):
        with expect_error("philips_fp_not_possible", element=TAG):
            call(data, backend=backend, **OUTPUT)
    assert td.load(data, slices=0, backend=backend, **OUTPUT).data[0, 0, 0] == 8


def test_scale_slope_in_another_block(backend: Backend) -> None:
    one, inner = in_group(0.25)
    other = [
        Element(0x20050011, "LO", "Philips MR Imaging DD 003"),
        Element(0x20050013, "LO", one.value),
        Element(0x2005110F, "SQ", inner.value),
        sequence(0x2005130F, scale_slope(0.5, block=0x42)),
    ]
    data = philips_file([other, [one, inner]])
    assert td.load(data, backend=backend, **OUTPUT).data[:, 0, 0].tolist() == [4, 8]


@pytest.mark.data
@pytest.mark.parametrize(
    ("name", "stored", "slope", "scale_slope"),
    [
        ("anatomical/001/IM-0001-0170-0001.dcm", 29, 4.25885225885225, 0.0002765719254966825),
        ("fmri/001_implicit/IM-0001-9600-0001.dcm", 206, 1.85934065934065, 0.000542474735993892),
    ],
)
def test_real_enhanced_files(
    data_dir: Path, backend: Backend, name: str, stored: int, slope: float, scale_slope: float
) -> None:
    path = data_dir / "dicom2nifti" / "tests" / "data" / "philips_enhanced" / name
    found = td.decode(path, frames=[0], backend=backend, **OUTPUT)
    assert td.decode(path, frames=[0], output="stored", backend=backend).flatten()[0] == stored
    assert float(found.flatten()[0]) == (stored * slope + 0.0) / (slope * scale_slope)


def test_integers_are_refused(backend: Backend) -> None:
    with pytest.raises(ValueError, match="output='philips_fp' has values between integers"):
        td.decode(ct_slice(**MR), output="philips_fp", dtype=torch.uint8, backend=backend)
