"""The one place that compares results, and the only one that knows a tolerance."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

import torch

if TYPE_CHECKING:
    import torchdicom as td

_PREFIX = "1.2.840.10008.1.2.4."

# Stored units by which two decoders may differ, in gray images and in colour. Lossless syntaxes and
# near-lossless JPEG-LS are defined to the bit; the inverse DCT (ISO 10918-1 A.3.3), the 9-7 wavelet
# and the conversion from YCbCr after them are not.
_JPEG, _WAVELET = (1, 4), (1, 1)
WITHIN_BETWEEN_DECODERS = {
    _PREFIX + "50": _JPEG,
    _PREFIX + "51": _JPEG,
    _PREFIX + "53": _JPEG,
    _PREFIX + "55": _JPEG,
    _PREFIX + "91": _WAVELET,
    _PREFIX + "93": _WAVELET,
    _PREFIX + "203": _WAVELET,
    _PREFIX + "111": _JPEG,
    _PREFIX + "112": _JPEG,
}


# Stored units that lossy JPEG takes off what was encoded, at a quality of 95 or more: of pictures,
# and of patches of one colour away from their edges.
OFF_THE_ORIGINAL = 3
OFF_FLAT_COLOUR = 2


def tolerance(transfer_syntax_uid: str, samples: int = 1) -> int:
    """How far two decoders of this syntax may be apart, in stored units."""
    gray, colour = WITHIN_BETWEEN_DECODERS.get(transfer_syntax_uid, (0, 0))
    return gray if samples == 1 else colour


def bits(tensor: torch.Tensor) -> torch.Tensor:
    """The tensor as integers of the same size: -0.0 is not 0.0 and NaN equals itself."""
    sizes = {1: torch.uint8, 2: torch.int16, 4: torch.int32, 8: torch.int64}
    return tensor.contiguous().view(sizes[tensor.element_size()])


def assert_same_bits(actual: torch.Tensor, expected: torch.Tensor) -> None:
    """Same dtype, shape and bits."""
    assert (actual.dtype, actual.shape) == (expected.dtype, expected.shape)
    differ = bits(actual) != bits(expected)
    assert not differ.any(), f"{int(differ.sum())} differ, first at {differ.nonzero()[0].tolist()}"


def assert_within(actual: torch.Tensor, expected: torch.Tensor, within: float) -> None:
    """Same shape, and no value further away than `within`; 0 compares bits."""
    if within == 0:
        assert_same_bits(actual, expected)
        return
    assert actual.shape == expected.shape
    largest = float((actual.double() - expected.double()).abs().max())
    assert largest <= within, f"{largest} apart, {within} allowed"


def without_words(verdict: td.Verdict) -> td.Verdict:
    """The verdict without its sentences, which each backend words for itself."""
    defects = tuple(replace(one, message="") for one in verdict.defects)
    return replace(verdict, defects=defects)


def assert_same_tensors(actual: torch.Tensor | None, expected: torch.Tensor | None) -> None:
    """Both None, or the same bits."""
    assert (actual is None) == (expected is None)
    if actual is not None and expected is not None:
        assert_same_bits(actual, expected)


def assert_same_coords(actual: td.Volume, expected: td.Volume) -> None:
    """The same values along the same dims."""
    names = {dim: sorted(values) for dim, values in actual.coords.items()}
    assert names == {dim: sorted(values) for dim, values in expected.coords.items()}
    for dim, values in actual.coords.items():
        for name, value in values.items():
            assert_same_bits(value, expected.coords[dim][name])


def assert_volumes_equal(actual: td.Volume, expected: td.Volume, within: float = 0) -> None:
    """Equal in everything: values within the tolerance, all the rest exactly."""
    assert_within(actual.data, expected.data, within)
    assert_same_tensors(actual.affine, expected.affine)
    assert_same_tensors(actual.valid_mask, expected.valid_mask)
    assert_same_coords(actual, expected)
    assert dict(actual.metadata) == dict(expected.metadata)
    for name in ("dims", "space", "spacing_mm", "units", "provenance"):
        # As text, in which NaN equals itself.
        assert repr(getattr(actual, name)) == repr(getattr(expected, name)), name
    assert without_words(actual.verdict) == without_words(expected.verdict)
