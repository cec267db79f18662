"""Which transfer syntaxes are read (PS3.5 Annex A, PS3.6 Table A-1), by what their frames are."""

from __future__ import annotations

from typing import Final

from torchdicom._reference._elements import DEFLATED, EXPLICIT_BIG, EXPLICIT_LITTLE, IMPLICIT_LITTLE

RLE: Final = "1.2.840.10008.1.2.5"
ENCAPSULATED_UNCOMPRESSED: Final = "1.2.840.10008.1.2.1.98"
DEFLATED_FRAME: Final = "1.2.840.10008.1.2.8.1"


def _numbered(*numbers: int) -> frozenset[str]:
    return frozenset(f"1.2.840.10008.1.2.4.{number}" for number in numbers)


# Baseline, extended, and of the retired ones those with Huffman codes and no hierarchy.
JPEG: Final = _numbered(50, 51, 53, 55)
JPEG_LOSSLESS: Final = _numbered(57, 70)
JPEG_LS: Final = _numbered(80, 81)
JPEG_2000: Final = _numbered(90, 91, 92, 93, 201, 202, 203)  # the last three in high throughput
JPEG_XL: Final = _numbered(110, 111, 112)
CODESTREAMS: Final = JPEG | JPEG_LOSSLESS | JPEG_LS | JPEG_2000 | JPEG_XL

NATIVE: Final = frozenset({IMPLICIT_LITTLE, EXPLICIT_LITTLE, EXPLICIT_BIG, DEFLATED})
ENCAPSULATED: Final = CODESTREAMS | {RLE, ENCAPSULATED_UNCOMPRESSED, DEFLATED_FRAME}
# Samples stand in these as the header says.
UNCOMPRESSED: Final = NATIVE | {ENCAPSULATED_UNCOMPRESSED, DEFLATED_FRAME}
