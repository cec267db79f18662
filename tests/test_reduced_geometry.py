"""A reduced image lies where its affine says: the centroid of a Gaussian stays in the patient."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

import torchdicom as td
from builders import EXPLICIT, JPEG, JPEG_2000, JPEG_LS, RLE, Cells, Syntax, ct_slice
from builders_encoded import HTJ2K, LOSSLESS, encoded_file, jpeg
from helpers import Backend, affine_of, syntax_id

ROWS, COLUMNS, BITS = 149, 170, 8
CENTRE, WIDTH = (70.3, 81.8), 14.0
SPACING: dict[str, Any] = {"PixelSpacing": (0.5, 0.5)}


def gaussian() -> Cells:
    y, x = np.mgrid[:ROWS, :COLUMNS]
    squares = (y - CENTRE[0]) ** 2 + (x - CENTRE[1]) ** 2
    cells: Cells = np.rint(240 * np.exp(-squares / (2 * WIDTH**2))).astype(np.uint8)
    return cells


def file_of(syntax: Syntax) -> bytes:
    cells = gaussian()
    if syntax == EXPLICIT:
        return ct_slice(cells, **SPACING)
    frame = jpeg(cells, BITS) if syntax == JPEG else LOSSLESS[syntax](cells, BITS)
    return encoded_file([frame], cells, syntax, bits=BITS, **SPACING)


def centroid_mm(volume: td.Volume) -> Cells:
    """The centre of mass in the patient, by the affine."""
    values = volume.data[0].double().numpy()
    values = np.where(values > 2, values, 0)  # ringing far out would have a long arm
    y, x = np.mgrid[: values.shape[0], : values.shape[1]]
    mean_y, mean_x = ((values * at).sum() / values.sum() for at in (y, x))
    place: Cells = affine_of(volume).numpy()[:3] @ np.array([0, mean_y, mean_x, 1])
    return place


@pytest.mark.parametrize("n", [1, 2, 3])
@pytest.mark.parametrize("syntax", [EXPLICIT, RLE, JPEG_LS, JPEG, JPEG_2000, HTJ2K], ids=syntax_id)
def test_centroid_of_a_gaussian_stays(backend: Backend, syntax: Syntax, n: int) -> None:
    data = file_of(syntax)
    whole = td.load(data, output="stored", backend=backend)
    small = td.load(data, output="stored", reduce=n, backend=backend)
    assert small.spacing_mm[1:] == (0.5 * 2**n, 0.5 * 2**n)
    moved = np.abs(centroid_mm(small) - centroid_mm(whole)) / 0.5
    assert moved.max() < 0.15, moved  # in pixels of the whole image
