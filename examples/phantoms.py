"""Small labelled sets for the training examples: generated, so that nothing is downloaded."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

import numpy as np

from dicom_file import write_dicom

if TYPE_CHECKING:
    from pathlib import Path

_CT, _CR, _DX = (f"1.2.840.10008.5.1.4.1.1.{n}" for n in ("2", "1", "1.1"))
_ROOT: Final = "1.2.826.0.1.3680043.8.498"  # UIDs below it are for tests
_CLASSES: Final = ("clear", "opacity")
_WINDOW: Final = {"WindowCenter": 40, "WindowWidth": 400}


def chest_images(folder: Path, *, seed: int, count: int = 48, series: int = 2) -> Path:
    """Radiographs, half of them CR and half DX, and some CT series, with a table of their classes.

    Two dark fields in a bright body; of the class ``opacity``, one field is bright in part.

    Args:
        folder: Where files and table go.
        seed: Of everything random.
        count: How many radiographs.
        series: How many CT series, of 8 slices.

    Returns:
        The table, a CSV file with the columns ``series`` and ``label``.
    """
    random = np.random.default_rng(seed)
    rows = ["series,label"]
    for i in range(count + series):
        uid, label = f"{_ROOT}.1.{i + 1}", i // 2 % 2
        rows.append(f"{uid},{_CLASSES[label]}")
        if i >= count:
            _chest_slices(folder / "ct" / str(i), random, uid, label)
            continue
        kind, sop_class = (("cr", _CR), ("dx", _DX))[i % 2]
        image = _chest(random, (320, 288), label) * 3500
        write_dicom(
            folder / kind / f"{i:03}.dcm",
            (image if i % 2 else 4095 - image).astype(np.uint16),
            SOPClassUID=sop_class,
            SOPInstanceUID=f"{uid}.1",
            SeriesInstanceUID=uid,
            Modality=kind.upper(),
            # CR is often stored inverted: white is low.
            PhotometricInterpretation="MONOCHROME2" if i % 2 else "MONOCHROME1",
            BitsStored=12,
            InstanceNumber=1,
            WindowCenter=2048,
            WindowWidth=4096,
        )
    table = folder / "labels.csv"
    table.write_text("\n".join(rows) + "\n")
    return table


def labelled_volumes(folder: Path, *, seed: int, count: int = 6) -> Path:
    """CT series with bright balls in noise, and the mask of each in ``masks/<key>.npy``.

    Args:
        folder: Where ``ct`` and ``masks`` go.
        seed: Of everything random.
        count: How many series.

    Returns:
        The folder of the masks.
    """
    random = np.random.default_rng(seed)
    shape = (32, 80, 80)
    voxels = np.indices(shape)
    masks = folder / "masks"
    masks.mkdir(parents=True, exist_ok=True)
    for i in range(count):
        mask = np.zeros(shape, bool)
        for _ in range(3):
            radius = random.uniform(5, 9)
            center = random.uniform(radius, np.array(shape) - radius)
            mask |= ((voxels - center[:, None, None, None]) ** 2).sum(0) < radius**2
        values = random.normal(0, 40, shape) + 100 * mask
        uid = f"{_ROOT}.2.{i + 1}"
        _write_ct(folder / "ct" / str(i), values, uid)
        np.save(masks / f"{uid}.npy", mask)
    return masks


def _chest_slices(folder: Path, random: np.random.Generator, uid: str, label: int) -> None:
    slices = [_chest(random, (160, 176), label) for _ in range(8)]
    _write_ct(folder, np.stack(slices) * 400 - 160, uid)


def _chest(random: np.random.Generator, shape: tuple[int, int], label: int) -> np.ndarray[Any, Any]:
    """Values from 0 to 1."""
    y, x = np.indices(shape) / np.array(shape)[:, None, None]
    move = random.uniform(-0.05, 0.05, 2)
    image = 0.75 + random.normal(0, 0.04, shape)
    sides = [(x - middle - move[1]) / 0.17 for middle in (0.28, 0.72)]
    for side in sides:
        image[side**2 + ((y - 0.5 - move[0]) / 0.36) ** 2 < 1] -= 0.5
    if label:
        across = sides[random.integers(2)]
        height = random.uniform(0.4, 0.6)
        image += 0.45 * (across**2 + ((y - height) / 0.18) ** 2 < 1)
    clipped: np.ndarray[Any, Any] = image.clip(0, 1)
    return clipped


def _write_ct(folder: Path, hounsfield: np.ndarray[Any, Any], uid: str) -> None:
    for z, plane in enumerate(hounsfield):
        write_dicom(
            folder / f"{z:03}.dcm",
            (plane + 1024).round().astype(np.int16),
            SOPClassUID=_CT,
            SOPInstanceUID=f"{uid}.{z + 1}",
            SeriesInstanceUID=uid,
            PatientID=uid,  # each is another patient
            Modality="CT",
            InstanceNumber=z + 1,
            ImagePositionPatient=(0, 0, 2.5 * z),
            ImageOrientationPatient=(1, 0, 0, 0, 1, 0),
            PixelSpacing=(1.5, 1.5),
            RescaleIntercept=-1024,
            RescaleSlope=1,
            **_WINDOW,
        )
