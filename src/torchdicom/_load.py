"""`load`, `decode` and `read_header`: the public signatures; the backends do the work."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from torchdicom import _native
from torchdicom._arguments import (
    check_backend,
    check_frames,
    check_series,
    check_source,
    check_sources,
    frame_options,
    load_options,
)
from torchdicom._series import Series, count_missing_files, load_checked

if TYPE_CHECKING:
    from collections.abc import Iterable
    from types import ModuleType

    import torch
    from numpy.typing import NDArray

    from torchdicom._arguments import Backend, File, Output, Slices, Source
    from torchdicom._header import Header
    from torchdicom._policy import Policy
    from torchdicom._volume import Volume
    from torchdicom._window import Window


def load(
    source: Source | Series,
    *,
    series: str | None = None,
    output: Output | Window = "modality",
    dtype: torch.dtype | None = None,
    policy: Policy | None = None,
    slices: Slices | None = None,
    t: Slices | None = None,
    region: tuple[int, int, int, int] | None = None,
    reduce: int = 0,
    mask: bool = False,
    rwvm: str | None = None,
    out: torch.Tensor | NDArray[Any] | None = None,
    num_threads: int | None = None,
    codec: str | None = None,
    backend: Backend = "native",
) -> Volume:
    """Load one series as a volume, slices ascending along the slice normal.

    A SeriesInstanceUID alone does not make a series: files of one UID that differ in orientation,
    size, pixel format, echo or image component, and localizers, are series of their own.

    Args:
        source: A folder (searched recursively), a file, the bytes of a file, or a list of those; or
            a `Series` of an index. Files of a folder that are not DICOM, and DICOM objects that are
            no images, are passed over.
        series: Which one to load, where there are several: its key, as the error that lists them
            has it, or a SeriesInstanceUID that is one series. None: there is exactly one,
            localizers left aside.
        output: ``"modality"``, the stored values after the Modality LUT, or RescaleSlope and
            RescaleIntercept (PS3.3 C.11.1), e.g. Hounsfield units for CT; a file that has neither,
            and one real-world value map, has that applied. ``"stored"``, the values as stored.
            ``"real_world"``, the stored values after a real-world value map (C.7.6.16.2.11).
            ``"suv"``, of PET corrected for attenuation and decay, standardised uptake values by
            body weight (C.8.9.1): Bq/ml times PatientWeight over RadionuclideTotalDose, decayed to
            the start of the scan where DecayCorrection is START; values in GML as they are; counts
            by the factor of Philips. All slices tell the same, and what is missing or cannot be is
            an error that names it. ``"philips_fp"``, Philips' values in floating point: modality
            values over the product of RescaleSlope and the private scale slope (2005,100E).
            ``"window"``, modality values from 0 to 1 as the file says they are to be shown: by its
            first VOI LUT, else its first window, LINEAR, LINEAR_EXACT or SIGMOID (C.11.2); a volume
            takes that of its middle slice for all. Or a `Window`. With either, MONOCHROME1 is
            inverted, so that 1 is bright. Colours are RGB in all of them, from 0 to 1 in
            ``"window"``; of palettes, ``"stored"`` gives the indices.
        dtype: Type of the values. None is float32; for ``"stored"`` the smallest that BitsStored
            and the sign call for, float32 or float64 for pixels in floating point; for colours
            uint8 up to 8 bits, else int32, and int64 for 32 bits without a sign. It follows from
            the header, never from the values. An integer type needs slopes and intercepts that
            are whole numbers, and is checked voxel by voxel; windows, ``"suv"`` and
            ``"philips_fp"`` have none.
        policy: What to make of slices that are missing, of files that cannot be read, and of
            everything else in the verdict; None is ``Policy()``. Of a series that it repairs
            ``slices`` and ``region`` are parts of the repaired stack, ``out`` has the shape of what
            they select, and ``reduce`` comes first.
        slices: Positions along z in slice order, in the order wanted: an int (z stays, with length
            1), a slice, a range or a list; negative ones count from the end. Only these are read.
            Evenly spaced ones keep an affine, moved and scaled to them; others have none. A cine
            has one slice, at all times: 0.
        t: Positions along t, likewise, of a series that has several times, or frames of a cine.
        region: ``(y0, y1, x0, x1)``, the rows from y0 on and before y1, and columns likewise, in
            pixels at full resolution. The affine moves along. Of native images only those rows are
            read; of compressed ones each codec leaves undecoded what it can. Values are checked
            within the region alone, and damage outside of it may go unseen.
        reduce: How often to halve rows and columns, 0 to 8: N become ceil(N / 2^n). JPEG 2000 and
            HTJ2K leave out levels of their wavelet, lossy JPEG scales its transform; everything
            else is the mean of 2^n x 2^n stored values, at the far edges of those there are, before
            the rescale (for ``"stored"`` and integer types rounded, halves to even). The affine
            follows. The edges of a region are multiples of 2^n then, or those of the image.
        mask: Whether to make `Volume.valid_mask`, which is False where the stored value is
            PixelPaddingValue (0028,0120), or from there to PixelPaddingRangeLimit (0028,0121), or
            outside of the range of the real-world value map that is applied; under ``reduce``
            where any of the pixels is. A series that the policy repairs has one in any case.
        rwvm: LUTLabel (0040,9210) of the real-world value map to apply, where there are several.
        out (Tensor or array of the shape of the result): Writable, contiguous CPU memory to fill,
            of the result's shape and dtype; the volume's data is then this tensor.
        num_threads: Threads for this call; None is `get_num_threads`. The result does not depend
            on it.
        codec: Which of the decoders that `codecs` lists decodes, by its name, such as ``"gdcm"``.
            None is the first choice for each syntax.
        backend: ``"native"``, the C++ core; or ``"reference"``, the same in pydicom and NumPy,
            slow, equal bit for bit (lossy syntaxes within a stored unit).

    Returns:
        Volume: ``data`` of shape (slices, rows, columns), with affine, units, verdict, provenance.
        Radiographs and the like are one slice without an affine; several frames without positions
        (ultrasound, angiography) are a cine, of shape (frames, 1, rows, columns). Colours are
        (3, slices, rows, columns) and (frames, 3, 1, rows, columns).

    Raises:
        FileNotFoundError: If a path does not exist.
        SeriesError: If the files are several series, none, or one with a defect that the policy
            raises: missing or uneven slices, and others.
        ParseError: If a file is malformed or cut off, unless the policy drops such files.
        DecodeError: If a frame's codestream contradicts the header, or is broken as far as its
            format lets a decoder see.
        UnsupportedError: If a file is legal DICOM of a kind that is not read yet; if ``codec`` does
            not read its syntax; if there is no real-world value map, or several to choose from; if
            there is no window in the file; if the file does not say what SUV follow from
            (``suv_not_possible``), or Philips' values (``philips_fp_not_possible``).
        LimitError: If a size is above a limit, or a value does not fit an integer ``dtype``.
        IndexError: If one of ``slices`` is not there.
        ValueError: If ``out`` or ``region`` does not fit, if ``slices`` selects nothing, an
            argument is none of the allowed ones, or the policy resamples into an integer ``dtype``
            or has a ``fill_value`` that it does not hold.
        TypeError: If an argument is of another type than it may be.

    Warns:
        DicomWarning: For a defect that the policy warns of, and for odd metadata.

    Example:
        >>> import torchdicom as td
        >>> volume = td.load("tests/data/sts_002/ct")
        >>> volume.data.dtype, volume.units, volume.verdict.ok
        (torch.float32, 'HU', True)
        >>> part = td.load("tests/data/sts_002/ct", slices=slice(10, 20), region=(0, 100, 40, 140))
        >>> tuple(part.data.shape)
        (10, 100, 100)
        >>> small = td.load("tests/data/sts_002/ct", reduce=2)
        >>> tuple(small.data.shape), small.spacing_mm[1] / volume.spacing_mm[1]
        ((48, 36, 41), 4.0)
        >>> td.load("tests/data/sts_002/ct", output=td.Window(40, 400)).data.max()
        tensor(1.)
    """
    chosen = check_series(series)
    module = _backend(backend)
    options = load_options(
        output=output,
        dtype=dtype,
        policy=policy,
        slices=slices,
        t=t,
        region=region,
        reduce=reduce,
        codec=codec,
        rwvm=rwvm,
        mask=mask,
        out=out,
        num_threads=num_threads,
    )
    if isinstance(source, Series):
        return _load_listed(source, chosen, module, options)
    return module.load_series(  # type: ignore[no-any-return]
        check_sources(source), series=chosen, **options
    )


def _load_listed(
    source: Series, series: str | None, module: ModuleType, options: dict[str, Any]
) -> Volume:
    """A series of an index: the core has its headers there, the reference reads its files.

    They are one part, whose key is another without the other parts of their UID; a file may have
    frames of other series, too.
    """
    if series is not None:
        msg = f"source is a Series already: there is none to choose with series={series!r}"
        raise ValueError(msg)
    if module is _native:
        return load_checked(source, options)
    return module.load_series(  # type: ignore[no-any-return]
        list(dict.fromkeys(source.paths)),
        series=None,
        listed=source.key,
        missing_files=count_missing_files(source),
        **options,
    )


def decode(
    source: File,
    *,
    frames: Iterable[int] | None = None,
    output: Output | Window = "stored",
    dtype: torch.dtype | None = None,
    region: tuple[int, int, int, int] | None = None,
    reduce: int = 0,
    rwvm: str | None = None,
    out: torch.Tensor | NDArray[Any] | None = None,
    num_threads: int | None = None,
    codec: str | None = None,
    backend: Backend = "native",
) -> torch.Tensor:
    """Decode frames of one file, without any geometry.

    For cine, tiles, segmentations, and anything that is not a slice of a volume.

    Args:
        source: A file, or the bytes of one.
        frames: 0-based frames in the order wanted, negative from the end; None is all of them in
            the order of the file.
        output: ``"stored"``, the values as stored; or ``"modality"``, ``"real_world"``, ``"suv"``
            (as if this file were the whole series), ``"philips_fp"``, ``"window"`` or a `Window`,
            as in `load`.
        dtype: As in `load`.
        region: ``(y0, y1, x0, x1)``, as in `load`.
        reduce: How often to halve rows and columns, as in `load`.
        rwvm: As in `load`.
        out (Tensor or array of the shape of the result): As in `load`.
        num_threads: As in `load`.
        codec: As in `load`.
        backend: As in `load`.

    Returns:
        Tensor of shape (frames, rows, columns); of colours (frames, 3, rows, columns), red, green
        and blue.

    Raises:
        FileNotFoundError: If the path does not exist.
        IndexError: If a frame is not there.
        ParseError: If the file is malformed or cut off, or has no pixels.
        DecodeError: As in `load`.
        UnsupportedError: As in `load`.
        LimitError: If a size is above a limit, or a value does not fit an integer ``dtype``.
        ValueError: If ``out`` or ``region`` does not fit, or an argument is none of those allowed.

    Example:
        >>> import torchdicom as td
        >>> tuple(td.decode("tests/data/sts_002/ct/000000.dcm", frames=[0]).shape)
        (1, 143, 161)
        >>> tuple(td.decode("tests/data/sts_002/ct/000000.dcm", region=(0, 8, 0, 16)).shape)
        (1, 8, 16)
    """
    return _backend(backend).decode_frames(  # type: ignore[no-any-return]
        check_source(source),
        frames=check_frames(frames),
        **frame_options(
            output=output,
            dtype=dtype,
            region=region,
            reduce=reduce,
            codec=codec,
            rwvm=rwvm,
            out=out,
            num_threads=num_threads,
        ),
    )


def read_header(source: File) -> Header:
    """Read the technical attributes of one file and where its frames lie; no pixel is read.

    Args:
        source: A file, or the bytes of one.

    Returns:
        Header: attributes by name, and the byte ranges of every frame.

    Raises:
        FileNotFoundError: If the path does not exist.
        ParseError: If the file is not DICOM, malformed or cut off.
        LimitError: If a size is above a limit.

    Example:
        >>> import torchdicom as td
        >>> header = td.read_header("tests/data/sts_002/ct/000000.dcm")
        >>> header.modality, header.rows, header.columns
        ('CT', 143, 161)
    """
    return _native.read_header(check_source(source))


def _backend(name: str) -> ModuleType:
    if check_backend(name) == "native":
        return _native
    from torchdicom import _reference  # noqa: PLC0415 - needs pydicom, an extra

    return _reference
