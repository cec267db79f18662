"""The slices that Siemens puts beside each other in one image: a mosaic, one tile each."""

from __future__ import annotations

import math
import struct
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Final

from torchdicom._errors import UnsupportedError
from torchdicom._reference._normal import moved, normal_of
from torchdicom._reference._private import (
    SIEMENS_MR,
    csa_decimals,
    csa_integer,
    private_bytes,
    private_numbers,
)
from torchdicom._reference._tags import element_name

if TYPE_CHECKING:
    from torchdicom._reference._header import FileHeader
    from torchdicom._reference._normal import Vector
    from torchdicom._reference._values import Values

_UNIT_TOLERANCE: Final = 1e-3
# Real ones have up to 100; one header is made for each.
_MAX_SLICES: Final = 65_536


@dataclass(frozen=True, slots=True)
class Tile:
    """The part of a mosaic that is one slice.

    Attributes:
        index: Which one, row by row.
        top: Its first row.
        left: Its first column.
        image_size: Rows and columns of the whole mosaic.
    """

    index: int
    top: int
    left: int
    image_size: tuple[int, int]


def is_mosaic(file: FileHeader) -> bool:
    """Whether the image of a file is many slices."""
    is_alone = file.header.number_of_frames == 1
    return is_alone and file.raw["Modality"] == "MR" and "MOSAIC" in file.image_type


def mosaic_headers(file: FileHeader, values: Values, csa: dict[str, list[str]]) -> list[FileHeader]:
    """One header a tile, or the file as it is with what makes that impossible."""
    count = _count(values, csa)
    if count is None or not 1 <= count <= _MAX_SLICES:
        text = (
            "ImageType shows a mosaic, and neither NumberOfImagesInMosaic of the CSA header "
            "(0029,xx10) nor (0019,xx0A) says of how many slices; torchdicom.decode reads the image"
        )
        return [_refused(file, text)]
    grid = math.isqrt(count - 1) + 1
    rows, columns = file.header.rows or 0, file.header.columns or 0
    if rows % grid or columns % grid:
        text = (
            f"A mosaic of {count} slices has {grid} x {grid} tiles, and its {rows} rows and "
            f"{columns} columns are no multiple of that; torchdicom.decode reads the image"
        )
        return [_refused(file, text)]
    tile_rows, tile_columns = rows // grid, columns // grid
    positions = _positions(file, values, csa, count, (rows - tile_rows, columns - tile_columns))
    times = _slice_times(values, csa, count)
    return [
        replace(
            file,
            header=replace(
                file.header,
                rows=tile_rows,
                columns=tile_columns,
                image_position_patient=positions[k] if positions else (),
            ),
            frame=0,
            form="mosaic",
            tile=Tile(k, k // grid * tile_rows, k % grid * tile_columns, (rows, columns)),
            slice_time=times[k] if times else None,
        )
        for k in range(count)
    ]


def _refused(file: FileHeader, text: str) -> FileHeader:
    element = element_name("ImageType")
    error = UnsupportedError(text, code="unsupported_mosaic", path=file.path, element=element)
    return replace(file, refused=error)


def _count(values: Values, csa: dict[str, list[str]]) -> int | None:
    count = csa_integer(csa, "NumberOfImagesInMosaic")
    if count is not None:
        return count
    data = private_bytes(values, SIEMENS_MR, 0x0A)
    order = ">" if values.data_set.encoding.big else "<"
    return int(struct.unpack_from(f"{order}H", data)[0]) if len(data) >= 2 else None


def _positions(
    file: FileHeader,
    values: Values,
    csa: dict[str, list[str]],
    count: int,
    margins: tuple[int, int],
) -> list[tuple[float, ...]]:
    """Of the tiles; nothing where the mosaic has no place.

    The position that a mosaic has would be right for an image of its size about the same centre.
    """
    header = file.header
    position, orientation = header.image_position_patient, header.image_orientation_patient
    spacing, step = header.pixel_spacing, _step(file, values)
    if not (position and orientation and spacing and step):
        return []
    between_rows, between_columns = spacing
    down, right = margins
    r0, r1, r2, c0, c1, c2 = orientation
    corner = moved(position, between_columns * right / 2, (r0, r1, r2))
    corner = moved(corner, between_rows * down / 2, (c0, c1, c2))
    normal = _normal(csa) or normal_of(orientation)
    return [moved(corner, k * step, normal) for k in range(count)]


def _step(file: FileHeader, values: Values) -> float | None:
    """From slice to slice; None where the file does not say."""
    stated = values.decimal("SpacingBetweenSlices"), file.header.slice_thickness
    return next((step for step in stated if step is not None and step > 0), None)


def _normal(csa: dict[str, list[str]]) -> Vector | None:
    """The way that the slices go: against the normal of the image where they are reversed."""
    numbers = csa_decimals(csa, "SliceNormalVector")
    if len(numbers) != 3:
        return None
    x, y, z = numbers
    is_unit = abs(math.sqrt(x * x + y * y + z * z) - 1) <= _UNIT_TOLERANCE
    return (x, y, z) if is_unit else None


def _slice_times(values: Values, csa: dict[str, list[str]], count: int) -> tuple[float, ...]:
    """When each slice was taken, in milliseconds after the first."""
    times = csa_decimals(csa, "MosaicRefAcqTimes")
    if len(times) < count:
        times = private_numbers(values, SIEMENS_MR, 0x29, "d")
    return times if len(times) >= count else ()
