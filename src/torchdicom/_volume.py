"""What `load` returns: a Volume, its verdict, and where each slice came from."""

from __future__ import annotations

import math
from dataclasses import dataclass, field
from types import MappingProxyType
from typing import TYPE_CHECKING, NamedTuple

if TYPE_CHECKING:
    from collections.abc import Mapping

    import torch


@dataclass(frozen=True, slots=True)
class Defect:
    """One thing about the geometry of a series that is not as it should be.

    Attributes:
        code: What it is, such as ``"gantry_tilt"``.
        message: A sentence for people.
        slices: The positions in sorted order that are concerned; empty means all.
        measured: The numbers behind it, such as ``{"angle_degrees": 14.0}``.
    """

    code: str
    message: str
    slices: tuple[int, ...] = ()
    measured: Mapping[str, float] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Verdict:
    """What was found about the geometry of a series.

    Attributes:
        ok: True where nothing was found that makes `load` raise.
        defects: Everything that was found, harmless things included.
    """

    ok: bool
    defects: tuple[Defect, ...] = ()

    def __str__(self) -> str:
        """One word, with the codes of what was found."""
        codes = ", ".join(defect.code for defect in self.defects)
        word = "ok" if self.ok else "not ok"
        return f"{word} ({codes})" if codes else word


class SliceProvenance(NamedTuple):
    """Where one slice of a volume came from: a tuple, since every volume has hundreds.

    Attributes:
        path: The file, or ``"<bytes 0>"`` for data handed over in memory.
        frame: 0-based frame in the file.
        sop_instance_uid: SOPInstanceUID (0008,0018).
        position_mm: ImagePositionPatient (0020,0032), the centre of the first voxel, LPS.
        slope: RescaleSlope (0028,1053) that was applied; 1 where there is none.
        intercept: RescaleIntercept (0028,1052) that was applied; 0 where there is none.
    """

    path: str
    frame: int
    sop_instance_uid: str
    position_mm: tuple[float, float, float]
    slope: float
    intercept: float


@dataclass(frozen=True, slots=True, eq=False)
class Volume:
    """A series as one tensor, with what is needed to trust it.

    Attributes:
        data (Tensor of shape (slices, rows, columns)): Modality values, e.g. Hounsfield units for
            CT, contiguous; dims ``("z", "y", "x")``, slices ascending along the slice normal.
        dims: Names of the dims of ``data``.
        affine (float64 Tensor of shape (4, 4)): Index ``(z, y, x, 1)`` to millimetres in ``space``.
        space: ``"LPS"``, the patient coordinates of DICOM (PS3.3 C.7.6.2.1.1).
        units: Unit of the values: ``"HU"``, ``"BQML"`` ..., or None where the files name none.
        verdict: What was found about the geometry.
        provenance: For every slice: file, frame, SOPInstanceUID, position, slope, intercept.
        metadata: Technical attributes by DICOM keyword; nothing that identifies a person.
    """

    data: torch.Tensor
    dims: tuple[str, ...]
    affine: torch.Tensor
    space: str
    units: str | None
    verdict: Verdict
    provenance: tuple[SliceProvenance, ...]
    metadata: Mapping[str, object]

    def __post_init__(self) -> None:
        """Check that the parts fit each other.

        Raises:
            ValueError: If a shape contradicts another part.
        """
        if self.data.ndim != len(self.dims):
            msg = f"data has {self.data.ndim} dims, but dims names {self.dims}"
            raise ValueError(msg)
        if tuple(self.affine.shape) != (4, 4):
            msg = f"affine has shape {tuple(self.affine.shape)}, not (4, 4)"
            raise ValueError(msg)
        if len(self.provenance) != self.data.shape[0]:
            msg = f"{len(self.provenance)} slices in provenance, {self.data.shape[0]} in data"
            raise ValueError(msg)
        object.__setattr__(self, "metadata", MappingProxyType(dict(self.metadata)))

    @property
    def spacing_mm(self) -> tuple[float, float, float]:
        """Distance between voxel centres along z, y and x: the lengths of the affine's columns."""
        columns = self.affine[:3, :3].T.tolist()
        z, y, x = (math.sqrt(a * a + b * b + c * c) for a, b, c in columns)
        return z, y, x

    def __repr__(self) -> str:
        """Shape, dtype, spacing, units and verdict; never voxels."""
        spacing = ", ".join(f"{value:.4g}" for value in self.spacing_mm)
        dtype = str(self.data.dtype).removeprefix("torch.")
        return (
            f"Volume(shape={tuple(self.data.shape)}, dims={''.join(self.dims)}, dtype={dtype}, "
            f"spacing_mm=({spacing}), units={self.units}, verdict={self.verdict})"
        )

    def __reduce__(self) -> tuple[object, ...]:
        """Pickle by its parts: a read-only mapping does not pickle by itself."""
        parts = (self.data, self.dims, self.affine, self.space, self.units, self.verdict)
        return Volume, (*parts, self.provenance, dict(self.metadata))
