"""Writes doses, nuclear medicine, Siemens mosaics, and classic series with several times."""

from __future__ import annotations

import struct
from typing import TYPE_CHECKING, Any

import numpy as np

from builders import MR_IMAGE, Element, ct_slice, default_pixels, write_series
from builders_enhanced import frame_pixels

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from pathlib import Path

    from builders import Cells

RT_DOSE, NM_IMAGE = "1.2.840.10008.5.1.4.1.1.481.2", "1.2.840.10008.5.1.4.1.1.20"
RECON, GATED, STATIC = (
    f"ORIGINAL\\PRIMARY\\{kind}\\EMISSION" for kind in ("RECON TOMO", "RECON GATED TOMO", "STATIC")
)
_NO_RESCALE: dict[str, Any] = dict.fromkeys(("RescaleSlope", "RescaleIntercept"))


def dose(
    frames: int,
    *,
    offsets: Sequence[float] | None = None,
    pixels: Cells | None = None,
    **attributes: Any,
) -> bytes:
    """A dose in GY, 0.5 of it a stored unit, planes 3 mm apart from z = 30 on.

    Args:
        frames: How many planes.
        offsets: GridFrameOffsetVector; None for one that starts with 0, () for none.
        pixels: Of all planes; see `frame_pixels`.
        **attributes: As `ct_slice` takes them.
    """
    if offsets is None:
        offsets = [3.0 * i for i in range(frames)]
    top: dict[str, Any] = {
        "SOPClassUID": RT_DOSE,
        "Modality": "RTDOSE",
        "ImageType": None,
        **_NO_RESCALE,
        "DoseUnits": "GY",
        "DoseGridScaling": 0.5,
        "GridFrameOffsetVector": tuple(offsets) or None,
    }
    cells = (frame_pixels(frames) if pixels is None else pixels).astype(np.uint16)
    return ct_slice(cells if frames > 1 else cells[0], **(top | attributes))


def nuclear(frames: int, *, pixels: Cells | None = None, **attributes: Any) -> bytes:
    """Slices of a reconstructed tomogram, 4 mm apart from z = 30 on; see `frame_pixels`."""
    place = [
        Element(0x00200032, "DS", (-10, -20, 30)),
        Element(0x00200037, "DS", (1, 0, 0, 0, 1, 0)),
    ]
    top: dict[str, Any] = {
        "SOPClassUID": NM_IMAGE,
        "Modality": "NM",
        "ImageType": RECON,
        "ImagePositionPatient": None,
        "ImageOrientationPatient": None,
        **_NO_RESCALE,
        "SpacingBetweenSlices": 4,
        "DetectorInformationSequence": [place],
    }
    cells = frame_pixels(frames) if pixels is None else pixels
    return ct_slice(cells if frames > 1 else cells[0], **(top | attributes))


def csa(tags: Mapping[str, tuple[str, Sequence[str]]]) -> bytes:
    """A CSA header of the second format: by name a VR and texts, with empty items behind them."""
    out = b"SV10\4\3\2\1" + struct.pack("<II", len(tags), 77)
    for name, (vr, texts) in tags.items():
        items = [*texts, ""]
        out += struct.pack("<64si4siii", name.encode(), len(texts), vr.encode(), 6, len(items), 77)
        for text in items:
            value = text.encode() + b"\0" if text else b""
            out += struct.pack("<4i", len(value), len(value), 77, len(value))
            out += value + b"\0" * (-len(value) % 4)
    return out


def mosaic_pixels(slices: int, *, grid: int, first: int = 0) -> Cells:
    """Tile k of 2 rows and 3 columns holds first + 10 * k + 0 .. 5."""
    image = np.zeros((2 * grid, 3 * grid), np.uint16)
    for k in range(slices):
        y, x = divmod(k, grid)
        tile = np.arange(6).reshape(2, 3) + first + 10 * k
        image[2 * y : 2 * y + 2, 3 * x : 3 * x + 3] = tile
    return image


def mosaic(
    slices: int = 3,
    *,
    normal: Sequence[float] | None = (0, 0, 1),
    times: Sequence[float] = (),
    csa_tags: Mapping[str, tuple[str, Sequence[str]]] | None = None,
    block: int = 0x10,
    number: int | None = None,
    extra: Sequence[Element] = (),
    first: int = 0,
    pixels: Cells | None = None,
    **attributes: Any,
) -> bytes:
    """A mosaic of 2 x 2 tiles, 2 rows of 0.5 mm and 3 columns of 0.25 mm each, slices 4 mm apart.

    Its corner is such that the first tile has its own at (0, 0, 30).

    Args:
        slices: How many tiles show something.
        normal: SliceNormalVector; None for none.
        times: MosaicRefAcqTimes.
        csa_tags: More of the CSA header.
        block: The private block of the CSA header.
        number: (0019,100A), where it is to be there.
        extra: More elements.
        first: The least value.
        pixels: Of the whole mosaic, where they are others.
        **attributes: As `ct_slice` takes them.
    """
    tags: dict[str, tuple[str, Sequence[str]]] = {"NumberOfImagesInMosaic": ("US", [str(slices)])}
    if normal is not None:
        tags["SliceNormalVector"] = ("FD", [f"{one:.8f}" for one in normal])
    if times:
        tags["MosaicRefAcqTimes"] = ("FD", [f"{one:.8f}" for one in times])
    tags |= csa_tags or {}
    private = [
        Element(0x00290000 | block, "LO", "SIEMENS CSA HEADER"),
        Element(0x00290000 | block << 8 | 0x10, "OB", csa({k: v for k, v in tags.items() if v[1]})),
    ]
    if number is not None:
        private += [
            Element(0x00190010, "LO", "SIEMENS MR HEADER"),
            Element(0x0019100A, "US", number),
        ]
    top: dict[str, Any] = {
        "SOPClassUID": MR_IMAGE,
        "Modality": "MR",
        "ImageType": "ORIGINAL\\PRIMARY\\M\\ND\\MOSAIC",
        **_NO_RESCALE,
        # Half of what the mosaic is larger: 1.5 columns of 0.25 mm, and 1 row of 0.5 mm.
        "ImagePositionPatient": (-0.375, -0.5, 30),
        "SpacingBetweenSlices": 4,
        "SliceThickness": 3,
    }
    cells = mosaic_pixels(slices, grid=2, first=first) if pixels is None else pixels
    return ct_slice(cells, extra=[*private, *extra], **(top | attributes))


def write_times(
    folder: Path, positions: Sequence[float], times: int, **attributes: Sequence[Any]
) -> list[Path]:
    """A classic MR series with every position several times, one time after the other.

    The slice of time t and position z holds 100 * t + 10 * z.

    Args:
        folder: Where to.
        positions: Along z.
        times: How many.
        **attributes: One value a time, or one value a slice.
    """
    count = len(positions)
    values: dict[str, Any] = {
        "SOPClassUID": MR_IMAGE,
        "Modality": "MR",
        "ImageType": "ORIGINAL\\PRIMARY\\M",
        **_NO_RESCALE,
        "ImagePositionPatient": [(-10, -20, z) for _ in range(times) for z in positions],
        "pixels": [
            np.full_like(default_pixels(), 100 * t + 10 * z)
            for t in range(times)
            for z in range(count)
        ],
    }
    for keyword, given in attributes.items():
        one_a_time = [value for value in given for _ in range(count)]
        values[keyword] = list(given) if len(given) == count * times else one_a_time
    return write_series(folder, count * times, **values)
