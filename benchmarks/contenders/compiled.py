"""Compiled here, in the same run: the machine's limit, and plain GDCM."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Final

from benchmarks.case import Case, Contender, Load

if TYPE_CHECKING:
    from collections.abc import Callable

_NATIVE: Final = "1.2.840.10008.1.2.1"
_LIMIT: Final = ("benchmarks.native.limit",)
_GDCM: Final = ("benchmarks.native.gdcm_peer",)
_CODEC: Final = ("benchmarks.native.codec_peer",)
# libjpeg-turbo or OpenJPEG: the very library that torchdicom is linked with.
DIRECTLY: Final = "the same library, directly"


def _limit(threads: int, *, mapped: bool = False) -> Callable[[Case], Load]:
    """The same reads and the same conversion, into memory that is used again, and nothing else."""

    def prepare(case: Case) -> Load:
        from benchmarks.native.limit import Limit  # noqa: PLC0415

        if case.transfer_syntax != _NATIVE:
            raise NotImplementedError
        return Limit(Path(case.folder), threads, mapped=mapped).load

    return prepare


def _gdcm_volume(threads: int) -> Callable[[Case], Load]:
    def prepare(case: Case) -> Load:
        from benchmarks.native.gdcm_peer import GdcmSeries  # noqa: PLC0415

        return GdcmSeries(Path(case.folder), threads).load

    return prepare


def _gdcm_frames(case: Case) -> Load:
    from benchmarks.native.gdcm_peer import GdcmImage  # noqa: PLC0415

    return GdcmImage(case.files[0]).load


def _directly(case: Case) -> Load:
    from benchmarks.native.codec_peer import CodecFrames  # noqa: PLC0415

    return CodecFrames(case.files[0]).load


def _zlib(case: Case) -> Load:
    from benchmarks.native.codec_peer import ZlibFrames  # noqa: PLC0415

    return ZlibFrames(case.files[0]).load


VOLUME: Final = (
    *(Contender("limit", _limit(n), n, modules=_LIMIT) for n in (1, 2)),
    *(Contender("limit, mapped", _limit(n, mapped=True), n, modules=_LIMIT) for n in (1, 2)),
    *(Contender("GDCM (C++)", _gdcm_volume(n), n, modules=_GDCM) for n in (1, 2)),
)
FRAMES: Final = (Contender("GDCM (C++)", _gdcm_frames, modules=_GDCM),)
CODEC: Final = (
    *FRAMES,
    Contender(DIRECTLY, _directly, modules=_CODEC),
    Contender("zlib, directly", _zlib, modules=_CODEC),
)
