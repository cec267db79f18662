"""Enhanced files and series over time: nothing but the files decides what they give."""

from __future__ import annotations

import tempfile
import warnings
from pathlib import Path
from typing import TYPE_CHECKING, Any

from hypothesis import given, settings
from hypothesis import strategies as st

import torchdicom as td
from builders_enhanced import enhanced, frame_pixels
from builders_multiframe import write_times
from compare import assert_volumes_equal
from test_properties import assert_same_outcome, outcome

if TYPE_CHECKING:
    from collections.abc import Sequence

    from helpers import Backend

BACKENDS: tuple[Backend, Backend] = ("native", "reference")
# What tells times apart, one value a time; some are equal, some cross midnight.
AXES: dict[str, st.SearchStrategy[Any]] = {
    "TemporalPositionIdentifier": st.integers(1, 4),
    "TriggerTime": st.sampled_from(["0", "12.5", "25", "800"]),
    "FrameReferenceTime": st.sampled_from(["0", "1000", "2000.5"]),
    "AcquisitionNumber": st.integers(1, 3),
    "AcquisitionTime": st.sampled_from(["235950", "235959.5", "000010", "000020.25"]),
    "DiffusionBValue": st.sampled_from([0.0, 500.0, 1000.0]),
}


def check_all_ways(paths: Sequence[Path], data: st.DataObject, **options: Any) -> None:
    """Every order, number of threads and backend, and a scan, give what one thread gives."""
    shuffled = data.draw(st.permutations(paths))
    threads = data.draw(st.sampled_from([2, 3, 7]))
    expected = outcome(paths, num_threads=1, **options)
    keys = [] if isinstance(expected[0], td.Volume) else expected[0][3]
    for key in [None, *keys]:
        expected = outcome(paths, series=key, num_threads=1, **options)
        for backend in BACKENDS:
            actual = outcome(shuffled, series=key, num_threads=threads, backend=backend, **options)
            assert_same_outcome(actual, expected)
    for series in td.scan(shuffled, num_threads=threads, progress=False).series:
        direct, _ = outcome(paths, series=series.key, **options)
        indexed = loaded(series, **options)
        if isinstance(direct, td.Volume) and isinstance(indexed, td.Volume):
            assert_volumes_equal(indexed, direct)
            assert options or indexed.data.shape == series.shape
        else:
            assert not isinstance(direct, td.Volume)
            assert indexed == direct[0]


def loaded(series: td.Series, **options: Any) -> td.Volume | str | None:
    """The volume, or the code of the error."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", td.DicomWarning)
        try:
            return series.load(**options)
        except td.DicomError as error:
            return error.code


@settings(max_examples=20)
@given(data=st.data())
def test_series_over_time(data: st.DataObject) -> None:
    times, count = data.draw(st.integers(2, 4)), data.draw(st.integers(1, 3))
    names = data.draw(st.sets(st.sampled_from(sorted(AXES)), max_size=3))
    axes = {name: data.draw(st.lists(AXES[name], min_size=times, max_size=times)) for name in names}
    with tempfile.TemporaryDirectory() as folder:
        paths = write_times(Path(folder), [30 + 2 * z for z in range(count)], times, **axes)
        if count > 1 and data.draw(st.booleans()):
            paths.remove(data.draw(st.sampled_from(paths)))
        check_all_ways(paths, data)


@settings(max_examples=20)
@given(data=st.data())
def test_frames_of_enhanced_files(data: st.DataObject) -> None:
    count = data.draw(st.integers(1, 6))
    heights = st.sampled_from([30.0, 32.5, 35.0, 37.5])
    per_frame: dict[str, Any] = {
        "ImagePositionPatient": [(-10, -20, data.draw(heights)) for _ in range(count)],
        "TemporalPositionIndex": data.draw(
            st.lists(st.integers(1, 3), min_size=count, max_size=count)
        ),
        "StackID": data.draw(
            st.lists(st.sampled_from(["1", "2"]), min_size=count, max_size=count)
            if data.draw(st.booleans())
            else st.just(["1"] * count)
        ),
        "RescaleSlope": data.draw(
            st.lists(st.sampled_from([1, 0.5, 2.25]), min_size=count, max_size=count)
        ),
        "RescaleIntercept": [-3] * count,
    }
    undefined = data.draw(st.booleans())
    cells = frame_pixels(count)
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder, "enhanced.dcm")
        path.write_bytes(enhanced(count, per_frame=per_frame, pixels=cells, undefined=undefined))
        all_options: list[dict[str, Any]] = [
            {},
            {"mask": True},
            {"output": "stored"},
            {"region": (0, 2, 1, 4)},
        ]
        options = data.draw(st.sampled_from(all_options))
        check_all_ways([path], data, **options)
