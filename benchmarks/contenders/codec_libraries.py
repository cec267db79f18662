"""pydicom for the header, imagecodecs for the pixels: what an expert writes."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

import numpy as np
import pydicom
from pydicom.encaps import generate_frames

from benchmarks.case import Case, Contender, Load
from benchmarks.contenders.pydicom_ways import as_frames, height, rescaled, volume_of

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    Decode = Callable[..., np.ndarray]

_IMAGECODECS: Final = ("imagecodecs",)
_DECODERS: Final = {
    "1.2.840.10008.1.2.5": "dicomrle_decode",
    "1.2.840.10008.1.2.4.50": "jpeg8_decode",
    "1.2.840.10008.1.2.4.51": "jpeg8_decode",
    "1.2.840.10008.1.2.4.70": "ljpeg_decode",
    "1.2.840.10008.1.2.4.80": "jpegls_decode",
    "1.2.840.10008.1.2.4.90": "jpeg2k_decode",
    "1.2.840.10008.1.2.4.201": "htj2k_decode",
}


def _decoder(case: Case) -> Decode:
    """The function of imagecodecs for a syntax."""
    import imagecodecs  # noqa: PLC0415

    name = _DECODERS.get(case.transfer_syntax)
    if name is None:
        raise NotImplementedError
    decode: Decode = getattr(imagecodecs, name)
    if name == "dicomrle_decode":
        return lambda data: np.frombuffer(decode(data, dtype="<i2"), "<i2")
    return decode


def _pixels(ds: pydicom.Dataset, decode: Decode) -> np.ndarray:
    frames = int(ds.get("NumberOfFrames", 1))
    found = [
        decode(data).reshape(ds.Rows, ds.Columns)
        for data in generate_frames(ds.PixelData, number_of_frames=frames)
    ]
    kind = f"{'i' if ds.PixelRepresentation else 'u'}{ds.BitsAllocated // 8}"
    stored = [frame if frame.dtype.kind == kind[0] else frame.view(kind) for frame in found]
    if frames == 1:
        return stored[0]
    return np.stack(stored)


def _volume(threads: int) -> Callable[[Case], Load]:
    def prepare(case: Case) -> Load:
        decode = _decoder(case)

        def read(path: Path) -> tuple[float, np.ndarray]:
            ds = pydicom.dcmread(path)
            return height(ds), rescaled(ds, _pixels(ds, decode))

        return volume_of(case, read, threads)

    return prepare


def _frames(case: Case) -> Load:
    decode = _decoder(case)
    path = case.files[0]
    return lambda: _pixels(pydicom.dcmread(path), decode)


VOLUME: Final = tuple(
    Contender("pydicom + imagecodecs", _volume(n), n, modules=_IMAGECODECS) for n in (1, 2)
)
FRAMES: Final = (Contender("pydicom + imagecodecs", _frames, 1, as_frames, _IMAGECODECS),)
