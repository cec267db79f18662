"""What `load` returns: a Volume, its verdict, and where each slice came from."""

from __future__ import annotations

from dataclasses import dataclass, field
from types import MappingProxyType
from typing import TYPE_CHECKING, NamedTuple

if TYPE_CHECKING:
    from collections.abc import Mapping

    import torch
    from monai.data import MetaTensor


@dataclass(frozen=True, slots=True)
class Defect:
    """One thing about a series that is not as it should be.

    Attributes:
        code: What it is, such as ``"gantry_tilt"``: most of them are fields of `Policy`.
        message: A sentence for people.
        slices: The positions in sorted order that are concerned; empty where it is none in
            particular.
        files: The paths responsible; empty where it is none in particular.
        measured: The numbers behind it, such as ``{"angle_degrees": 14.0}``.

    Example:
        >>> Defect("gantry_tilt", "The affine has a shear", measured={"angle_degrees": 14.0}).code
        'gantry_tilt'
    """

    code: str
    message: str
    slices: tuple[int, ...] = ()
    files: tuple[str, ...] = ()
    measured: Mapping[str, float] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Verdict:
    """What was found about a series: measured, whatever the policy makes of it.

    Attributes:
        ok: True where nothing was found that makes `load` raise under the default `Policy`.
        defects: Everything that was found, harmless things included.

    Example:
        >>> print(Verdict(ok=True, defects=(Defect("gantry_tilt", "The affine has a shear"),)))
        ok (gantry_tilt)
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
        path: The file, or ``"<bytes 0>"`` for data handed over in memory; empty for a slice that no
            file has, which a `Policy` filled or interpolated.
        frame: 0-based frame in the file; -1 for such a slice.
        sop_instance_uid: SOPInstanceUID (0008,0018).
        position_mm: ImagePositionPatient (0020,0032), the centre of the first voxel of the whole
            image, LPS; NaN where the file has none. Of a slice that no file has its place among the
            others, before the stack is straightened. Its slope and intercept are NaN.
        slope: RescaleSlope (0028,1053), or that of a real-world value map, that was applied; 1
            where there is none.
        intercept: RescaleIntercept (0028,1052), or that of a real-world value map, that was
            applied; 0 where there is none.
    """

    path: str
    frame: int
    sop_instance_uid: str
    position_mm: tuple[float, float, float]
    slope: float
    intercept: float


def turned(affine: torch.Tensor) -> torch.Tensor:
    """The affine from (x, y, z) to RAS of one from (z, y, x) to LPS, or the other way round."""
    made = affine[:, [2, 1, 0, 3]]  # a copy
    made[:2] = -made[:2]
    return made


@dataclass(frozen=True, slots=True, eq=False)
class Volume:
    """A series as one tensor, with what is needed to trust it.

    Attributes:
        data (Tensor of shape (slices, rows, columns) or (times, slices, rows, columns)): Modality
            values, e.g. Hounsfield units for CT, contiguous. Of colours red, green and blue, of
            shape (3, slices, rows, columns) or (times, 3, slices, rows, columns).
        dims: Names of the dims of ``data``: ``("z", "y", "x")``, slices ascending along the slice
            normal; ``("t", "z", "y", "x")`` where every position has images of several times, and
            for a cine, z then of length 1. Colours have ``"c"`` before ``"z"``.
        affine (float64 Tensor of shape (4, 4)): Index ``(z, y, x, 1)`` to millimetres in ``space``.
            None where the images have no place in the patient, and for slices that were picked
            at uneven distances.
        space: ``"LPS"``, the patient coordinates of DICOM (PS3.3 C.7.6.2.1.1); ``"VOLUME"`` for
            ultrasound whose places are those of its transducer (C.8.24.3.1).
        spacing_mm: Distance between voxel centres along z, y and x, the lengths of the affine's
            columns. Without an affine z is NaN, and y and x are what the file states of its pixels,
            or NaN.
        units: Unit of the values: ``"HU"``, ``"BQML"`` ..., or None where the files name none, for
            values as stored, for windows, and for colours.
        verdict: What was found about the whole series, whatever part of it was loaded, and whatever
            was repaired.
        provenance: For every slice (for every frame of a cine): file, frame, SOPInstanceUID,
            position, slope, intercept. Where there are several times, all slices of the first come
            first.
        metadata: Technical attributes by DICOM keyword; nothing that identifies a person.
        coords: For the dim ``"t"`` a dict of the attributes that vary over it, by keyword: float64
            Tensors of shape (times,), that of DiffusionGradientOrientation (times, 3). Besides
            TemporalPositionIdentifier, TriggerTime (ms), NominalPercentageOfCardiacPhase,
            DiffusionBValue (s/mm2), FrameReferenceTime (ms), AcquisitionNumber and AcquisitionTime
            (seconds since midnight of the first day) a cine has FrameTime, milliseconds since its
            first frame. For the dim ``"z"`` of mosaics MosaicRefAcqTimes (ms). Empty where no
            attribute says anything.
        valid_mask (bool Tensor of the shape of ``data``, without c): False where the stored value
            is padding (PS3.3 C.7.5.1.1.2), or outside of the range of the real-world value map that
            was applied, or where a repaired series has a voxel that is of no file, or made of one
            that is not valid. None unless `load` was asked for it, or the `Policy` repaired the
            series.

    Example:
        >>> import torchdicom as td
        >>> volume = td.load("tests/data/sts_002/ct", slices=slice(0, 48, 2), region=(0, 64, 0, 80))
        >>> tuple(volume.data.shape), volume.dims, volume.verdict.ok
        ((24, 64, 80), ('z', 'y', 'x'), True)
    """

    data: torch.Tensor
    dims: tuple[str, ...]
    affine: torch.Tensor | None
    space: str
    spacing_mm: tuple[float, float, float]
    units: str | None
    verdict: Verdict
    provenance: tuple[SliceProvenance, ...]
    metadata: Mapping[str, object]
    coords: Mapping[str, Mapping[str, torch.Tensor]] = field(default_factory=dict)
    valid_mask: torch.Tensor | None = None

    def __post_init__(self) -> None:
        """Check that the parts fit each other.

        Raises:
            ValueError: If a shape contradicts another part.
        """
        shape = tuple(self.data.shape)
        if len(shape) != len(self.dims):
            msg = f"data has {len(shape)} dims, but dims names {self.dims}"
            raise ValueError(msg)
        if self.affine is not None and tuple(self.affine.shape) != (4, 4):
            msg = f"affine has shape {tuple(self.affine.shape)}, not (4, 4)"
            raise ValueError(msg)
        extents = {d: n for d, n in zip(self.dims, shape, strict=True) if d != "c"}
        slices = extents.get("t", 1) * extents.get("z", 0)
        if len(self.provenance) != slices:
            msg = f"{len(self.provenance)} slices in provenance, {slices} in data"
            raise ValueError(msg)
        spatial = tuple(extents.values())
        if self.valid_mask is not None and tuple(self.valid_mask.shape) != spatial:
            msg = f"valid_mask has shape {tuple(self.valid_mask.shape)}, data has {shape}"
            raise ValueError(msg)
        self._check_coords()
        coords = {dim: MappingProxyType(dict(values)) for dim, values in self.coords.items()}
        object.__setattr__(self, "coords", MappingProxyType(coords))
        object.__setattr__(self, "metadata", MappingProxyType(dict(self.metadata)))

    def _check_coords(self) -> None:
        for dim, values in self.coords.items():
            if dim not in self.dims:
                msg = f"coords has a dim {dim!r}, but dims names {self.dims}"
                raise ValueError(msg)
            length = self.data.shape[self.dims.index(dim)]
            for name, value in values.items():
                if tuple(value.shape[:1]) != (length,):
                    shape = tuple(value.shape)
                    msg = f"coords has {name} of {shape} for dim {dim!r}, not of ({length}, ...)"
                    raise ValueError(msg)

    def to_ras_xyz(self) -> tuple[torch.Tensor, torch.Tensor]:
        """The data and affine in the order and space of NIfTI, as nibabel, MONAI and TorchIO do.

        Nothing is flipped or resampled: the dims are permuted and the signs of x and y turned.

        Returns:
            A view of ``data`` of shape (columns, rows, slices), then t and c where there are, and a
            float64 Tensor of shape (4, 4) from the index ``(x, y, z, 1)`` to millimetres in RAS.

        Raises:
            ValueError: If there is no affine.

        Example:
            >>> import torchdicom as td
            >>> data, affine = td.load("tests/data/sts_002/ct").to_ras_xyz()
            >>> tuple(data.shape)[:2]
            (161, 143)
        """
        if self.affine is None:
            msg = "the volume has no affine, so that its place in the patient is unknown"
            raise ValueError(msg)
        order = [self.dims.index(dim) for dim in ("x", "y", "z", "t", "c") if dim in self.dims]
        return self.data.permute(order), turned(self.affine)

    def to_metatensor(self) -> MetaTensor:
        """The volume as MONAI's spatial transforms take it; needs ``torchdicom[monai]``.

        Returns:
            A MetaTensor of shape (channels, columns, rows, slices), a view of ``data`` where there
            are not both times and colours, with an affine to RAS. Channels are times or colours.
            Its meta dict is that of `torchdicom.interop.monai.DicomReader`.

        Raises:
            ModuleNotFoundError: If MONAI is not installed.

        Warns:
            DicomWarning: If there is no place in the patient; the affine has the spacing alone.

        Example:
            >>> import torchdicom as td
            >>> image = td.load("tests/data/sts_002/ct").to_metatensor()
            >>> tuple(image.shape), image.meta["units"]
            ((1, 161, 143, 48), 'HU')
        """
        from torchdicom.interop import monai  # noqa: PLC0415 - an extra

        return monai.to_metatensor(self)

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
        coords = {dim: dict(values) for dim, values in self.coords.items()}
        placed = (self.data, self.dims, self.affine, self.space, self.spacing_mm, self.units)
        told = (self.verdict, self.provenance, dict(self.metadata), coords, self.valid_mask)
        return Volume, (*placed, *told)
