"""Which files make one series: a UID is divided wherever its files cannot be of one stack."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final, TypeAlias

from torchdicom._reference._kinds import kind_of, units

if TYPE_CHECKING:
    from collections.abc import Callable, Hashable, Iterable, Sequence

    from torchdicom._reference._header import FileHeader
    from torchdicom._reference._kinds import Kind

    Numbers: TypeAlias = tuple[float, ...]

# What the files of a part share, in the order of `Part.texts`.
NAMES: Final = (
    *("SOPClassUID", "Modality", "ImageType", "image component", "localizer", "EchoTime"),
    *("RepetitionTime", "FlipAngle", "EchoNumbers", "ReceiveCoilName", "kind", "Rows x Columns"),
    *("PixelSpacing", "pixel format", "units", "ImageOrientationPatient", "SOPInstanceUID"),
    "StackID",
)
SIZE, SPACING, CELL, UNITS, ORIENTATION = 11, 12, 13, 14, 15  # their places in it
NO_PLACE: Final = "none"

# The image component of PS3.3 C.8.13.3.1.1, as vendors spell it.
_COMPONENTS: Final = {
    "M": "M",
    "MAGNITUDE": "M",
    "P": "P",
    "PHASE": "P",
    "PHASE MAP": "P",
    "R": "R",
    "REAL": "R",
    "I": "I",
    "IMAGINARY": "I",
}

# Both are text: the same grid may be written with more or fewer digits.
_SPACING_TOLERANCE: Final = 1e-3  # relative
_COSINE_TOLERANCE: Final = 1e-3

_FNV_OFFSET: Final = 14695981039346656037
_FNV_PRIME: Final = 1099511628211


@dataclass(frozen=True, slots=True)
class Part:
    """Files that may be one series.

    Attributes:
        key: The UID, and a hash of the texts where it has other parts.
        uid: SeriesInstanceUID, empty where there is none.
        kind: What the files are.
        texts: What they share, by the names of `NAMES`; bytes as characters.
        files: In the order of their paths.
    """

    key: str
    uid: str
    kind: Kind
    texts: tuple[str, ...]
    files: tuple[FileHeader, ...]


def split(files: Sequence[FileHeader]) -> list[Part]:
    """The parts that files with pixels make, in the order of their first files.

    Args:
        files: In the order of their paths; no result but `Part.files` depends on it.
    """
    kinds = [kind_of(file) for file in files]
    stated = [
        (file.raw["SeriesInstanceUID"], *_stated_texts(file, kind))
        for file, kind in zip(files, kinds, strict=True)
    ]
    spacings = _centres(stated, [file.header.pixel_spacing for file in files], _is_same_spacing)
    spaced = [
        (*row[: 1 + SPACING], _spacing_text(spacing), *row[2 + SPACING :])  # the UID is in front
        for row, spacing in zip(stated, spacings, strict=True)
    ]
    orientations = _centres(spaced, [_orientation(file) for file in files], _is_parallel)
    groups: dict[tuple[str, ...], list[int]] = {}
    for i, (row, orientation) in enumerate(zip(spaced, orientations, strict=True)):
        key = (*row[: 1 + ORIENTATION], _orientation_text(orientation), *row[2 + ORIENTATION :])
        groups.setdefault(key, []).append(i)
    parts_of = Counter(uid for uid, *_ in groups)
    return [
        Part(
            key=uid if uid and parts_of[uid] == 1 else f"{uid}#{hash_of(texts)}",
            uid=uid,
            kind=kinds[members[0]],
            texts=tuple(texts),
            files=tuple(files[i] for i in members),
        )
        for (uid, *texts), members in groups.items()
    ]


def hash_of(texts: Iterable[str]) -> str:
    """Eight hexadecimal digits for the texts of a part: FNV-1a of 64 bits, folded.

    Keys are kept by others: a stack that none has is no part of them.
    """
    *texts, stack = texts
    value = _FNV_OFFSET
    for byte in "|".join((*texts, *filter(None, [stack]))).encode("latin-1"):
        value = (value ^ byte) * _FNV_PRIME % 2**64
    return f"{value >> 32 ^ value & 0xFFFF_FFFF:08x}"


def _stated_texts(file: FileHeader, kind: Kind) -> tuple[str, ...]:
    """The texts that a file has by itself; those of clusters are left empty."""
    header, raw = file.header, file.raw
    values = file.image_type
    components = (_COMPONENTS[value] for value in values[2:] if value in _COMPONENTS)
    is_alone = kind in {"image", "cine"}
    return (
        raw["SOPClassUID"],
        raw["Modality"],
        values[0],
        next(components, ""),
        "localizer" if "LOCALIZER" in values else "",
        *("" if number is None else f"{number:.10g}" for number in file.numbers),
        raw["EchoNumbers"],
        raw["ReceiveCoilName"],
        kind,
        f"{header.rows or 0}x{header.columns or 0}",
        "",
        _cell_text(file),
        _units_text(file),
        "",
        raw["SOPInstanceUID"] if is_alone else "",
        file.stack,
    )


def _cell_text(file: FileHeader) -> str:
    header = file.header
    allocated = header.bits_allocated or 0
    stored = allocated if header.bits_stored is None else header.bits_stored
    high = max(stored - 1, 0) if header.high_bit is None else header.high_bit
    sign = "s" if header.is_signed else "u"
    cell = f"{allocated}/{stored}/{high}/{sign}/{header.samples_per_pixel}"
    return f"{cell}/{file.raw['PhotometricInterpretation']}"


def _units_text(file: FileHeader) -> str:
    header, unit = file.header, units(file) or ""
    if unit and header.modality == "PT":
        unit = file.raw["Units"] or file.raw["RescaleType"]
    slope = "" if header.rescale_slope is None else "slope"
    intercept = "" if header.rescale_intercept is None else "intercept"
    return f"{unit}/{slope}/{intercept}"


def _spacing_text(spacing: Numbers) -> str:
    texts = (f"{number:.4g}" for number in spacing)
    return "\\".join("0" if text == "-0" else text for text in texts)


def _orientation(file: FileHeader) -> Numbers:
    """ImageOrientationPatient of a file that has a place, else nothing."""
    header = file.header
    return header.image_orientation_patient if header.image_position_patient else ()


def _orientation_text(cosines: Numbers) -> str:
    if not cosines:
        return NO_PLACE
    texts = (f"{cosine:.3f}" for cosine in cosines)
    return "\\".join("0.000" if text == "-0.000" else text for text in texts)


def _centres(
    keys: Sequence[Hashable],
    vectors: Sequence[Numbers],
    is_near: Callable[[float, float], bool],
) -> list[Numbers]:
    """For each vector the one that stands for it, among those with the same key.

    That is the most frequent one, the smallest of equally frequent ones; then the same among those
    that are not near it.
    """
    counts: dict[Hashable, Counter[Numbers]] = {}
    for key, vector in zip(keys, vectors, strict=True):
        counts.setdefault(key, Counter())[vector] += 1
    centres: dict[tuple[Hashable, Numbers], Numbers] = {}
    for key, count_of in counts.items():
        while count_of:
            most = max(count_of.values())
            centre = min(vector for vector, count in count_of.items() if count == most)
            near = [
                vector
                for vector in count_of
                if len(vector) == len(centre) and all(map(is_near, vector, centre))
            ]
            for vector in near:
                centres[key, vector] = centre
                del count_of[vector]
    return [centres[pair] for pair in zip(keys, vectors, strict=True)]


def _is_same_spacing(a: float, b: float) -> bool:
    return abs(a - b) <= _SPACING_TOLERANCE * max(abs(a), abs(b))


def _is_parallel(a: float, b: float) -> bool:
    return abs(a - b) <= _COSINE_TOLERANCE
