"""What `read_header` returns: the technical attributes of one file and where its frames lie."""

from __future__ import annotations

from dataclasses import dataclass, field


@dataclass(frozen=True, slots=True)
class Header:
    """Technical attributes of one file; no pixels and nothing that identifies a person.

    An attribute that the file lacks, or that is empty, is None (or an empty tuple).

    Attributes:
        path: The file, or ``"<bytes 0>"``.
        transfer_syntax_uid: TransferSyntaxUID (0002,0010); what the bytes show where it is absent.
        sop_class_uid: SOPClassUID (0008,0016).
        sop_instance_uid: SOPInstanceUID (0008,0018).
        series_instance_uid: SeriesInstanceUID (0020,000E).
        modality: Modality (0008,0060).
        image_type: ImageType (0008,0008), value by value.
        instance_number: InstanceNumber (0020,0013).
        rows: Rows (0028,0010).
        columns: Columns (0028,0011).
        number_of_frames: NumberOfFrames (0028,0008), 1 where absent.
        samples_per_pixel: SamplesPerPixel (0028,0002), 1 where absent.
        photometric_interpretation: PhotometricInterpretation (0028,0004).
        planar_configuration: PlanarConfiguration (0028,0006), 0 where absent.
        bits_allocated: BitsAllocated (0028,0100).
        bits_stored: BitsStored (0028,0101).
        high_bit: HighBit (0028,0102), BitsStored - 1 where absent.
        is_signed: PixelRepresentation (0028,0103) is 1.
        image_position_patient: (0020,0032), millimetres, LPS.
        image_orientation_patient: (0020,0037), row cosines, then column cosines.
        pixel_spacing: (0028,0030), millimetres between rows, then between columns.
        slice_thickness: (0018,0050), millimetres.
        rescale_slope: (0028,1053).
        rescale_intercept: (0028,1052).
        rescale_type: (0028,1054).
        units: (0054,1001), PET only.
        frame_ranges: For each frame its byte ranges ``(offset, length)``, one a fragment; offsets
            in the file, in the inflated data set where the transfer syntax is deflated. Empty
            where the file has no pixels.
        notes: What is odd about the file and harms nothing, a sentence each: pixel data that is
            longer than its frames. Left out of comparisons.
    """

    path: str
    transfer_syntax_uid: str
    sop_class_uid: str | None
    sop_instance_uid: str | None
    series_instance_uid: str | None
    modality: str | None
    image_type: tuple[str, ...]
    instance_number: int | None
    rows: int | None
    columns: int | None
    number_of_frames: int
    samples_per_pixel: int
    photometric_interpretation: str | None
    planar_configuration: int
    bits_allocated: int | None
    bits_stored: int | None
    high_bit: int | None
    is_signed: bool | None
    image_position_patient: tuple[float, ...]
    image_orientation_patient: tuple[float, ...]
    pixel_spacing: tuple[float, ...]
    slice_thickness: float | None
    rescale_slope: float | None
    rescale_intercept: float | None
    rescale_type: str | None
    units: str | None
    frame_ranges: tuple[tuple[tuple[int, int], ...], ...]
    notes: tuple[str, ...] = field(default=(), compare=False)
