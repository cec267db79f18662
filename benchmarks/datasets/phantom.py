"""The pictures: a body in a CT scanner and a breast in a mammograph, with noise everywhere."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

import numpy as np

from benchmarks.datasets.cache import kept, versioned

if TYPE_CHECKING:
    from pathlib import Path

CT_SEED: Final = 20
CT_INTERCEPT: Final = -1024
_CT_NOISE_HU: Final = 16.0  # gives the 2.5:1 of lossless codecs on real CT
_BREAST_SEED: Final = 21
# Quantum noise behind the breast, and what the detector adds where nothing is in the way: 2.5:1.
_BREAST_NOISE: Final = 20.0
_AIR_NOISE: Final = 8.0
# Gland and fat: the size of a blob in pixels, and how much it changes the value.
_TEXTURE: Final = ((512, 200.0), (128, 120.0), (32, 60.0))


def ct_truth(slices: int, size: int) -> Path:
    """The file of a CT series' Hounsfield units: float32 (slices, size, size)."""
    return kept(versioned(f"phantom-{slices}x{size}x{size}"), lambda: _hounsfield(slices, size))


def ct_cells(slices: int, size: int) -> np.ndarray:
    """The same as stored values, 0 to 4095 in int16 (slices, size, size)."""
    hounsfield: np.ndarray = np.load(ct_truth(slices, size), mmap_mode="r")
    cells: np.ndarray = (hounsfield - CT_INTERCEPT).astype("<i2")
    return cells


def breast(rows: int, columns: int) -> np.ndarray:
    """A mammogram, the chest wall at the left: 12 bits in uint16 (rows, columns)."""
    random = np.random.default_rng(_BREAST_SEED)
    y = np.linspace(-1, 1, rows)[:, np.newaxis]
    x = np.linspace(0, 1, columns)
    radius = (x / 0.8) ** 2 + (y / 0.85) ** 2
    inside = radius < 1
    thickness = np.sqrt(np.clip(1 - radius, 0, None))
    values = 200 + 1600 * thickness
    for cell, amplitude in _TEXTURE:
        values += thickness * amplitude * _blobs(random, rows, columns, cell)
    values += random.normal(size=values.shape) * np.where(inside, _BREAST_NOISE, _AIR_NOISE)
    stored: np.ndarray = np.clip(np.rint(values), 0, 4095).astype("<u2")
    return stored


def _hounsfield(slices: int, size: int) -> np.ndarray:
    random = np.random.default_rng(CT_SEED)
    random.permutation(slices)  # the file names, see `shuffled`: the noise starts after them
    volume = np.empty((slices, size, size), dtype=np.float32)
    for index in range(slices):
        volume[index] = _body(random, index / slices, size)
    return volume


def shuffled(slices: int) -> list[int]:
    """The number in the name of each slice's file: names say nothing about the order."""
    numbers: list[int] = np.random.default_rng(CT_SEED).permutation(slices).tolist()
    return numbers


def _body(random: np.random.Generator, height: float, size: int) -> np.ndarray:
    """A body with two lungs and a spine in air, as whole Hounsfield units."""
    y, x = np.mgrid[-1 : 1 : size * 1j, -1 : 1 : size * 1j]
    hounsfield = np.full((size, size), -1000.0)
    hounsfield[(x / 0.85) ** 2 + (y / 0.6) ** 2 < 1] = 40.0
    lung = 0.3 * np.sin(np.pi * height) + 0.01
    for side in (-0.4, 0.4):
        hounsfield[((x - side) / lung) ** 2 + (y / (1.3 * lung)) ** 2 < 1] = -850.0
    hounsfield[x**2 + (y - 0.4) ** 2 < 0.08**2] = 600.0
    hounsfield += random.normal(scale=_CT_NOISE_HU, size=hounsfield.shape)
    # Scanners store unsigned-looking values with intercept -1024; air goes no lower.
    stored: np.ndarray = np.clip(np.rint(hounsfield) - CT_INTERCEPT, 0, 4095)
    return stored + CT_INTERCEPT


def _blobs(random: np.random.Generator, rows: int, columns: int, cell: int) -> np.ndarray:
    """Noise of one size: a random value every `cell` pixels, bilinear between them."""
    coarse = random.normal(size=(rows // cell + 2, columns // cell + 2))
    y, below = np.divmod(np.arange(rows), cell)
    x, right = np.divmod(np.arange(columns), cell)
    down, along = (below / cell)[:, np.newaxis], right / cell
    lines = coarse[:, x] * (1 - along) + coarse[:, x + 1] * along
    blobs: np.ndarray = lines[y] * (1 - down) + lines[y + 1] * down
    return blobs
