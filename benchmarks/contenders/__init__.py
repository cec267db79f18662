"""Everyone who competes, by the work that they do."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from benchmarks.contenders import (
    codec_libraries,
    compiled,
    converted,
    indexes,
    itk_family,
    ours,
    peers,
    pydicom_ways,
    scanners,
    training,
    training_peers,
)

if TYPE_CHECKING:
    from benchmarks.case import Contender, Work

_MODULES: Final = (
    ours,
    compiled,
    converted,
    peers,
    itk_family,
    codec_libraries,
    pydicom_ways,
)

# Those that time a decoder and little else.
_DECODE: Final = (
    "dicomsdl",
    "pydicom + imagecodecs",
    "pydicom + pylibjpeg",
    "pydicom + pyjpegls",
)

CONTENDERS: Final[dict[Work, tuple[Contender, ...]]] = {
    "volume": tuple(one for module in _MODULES for one in module.VOLUME),
    "indexed": indexes.INDEXED,
    "multiframe": ours.MULTIFRAME,
    "frames": tuple(one for module in _MODULES for one in module.FRAMES),
    "codec": (
        *ours.CODEC,
        *compiled.CODEC,
        *(
            one
            for module in (peers, codec_libraries, pydicom_ways)
            for one in module.FRAMES
            if one.name in _DECODE
        ),
    ),
    "scan": scanners.SCAN,
    "index": indexes.INDEX,
    "epoch": (*training.EPOCH, *training_peers.EPOCH),
}


def find(work: Work, key: str) -> Contender:
    """The contender of that name and number of threads."""
    return next(one for one in CONTENDERS[work] if one.key == key)
