"""Random small series with any of the flaws that a load has to judge, for Hypothesis."""

from __future__ import annotations

from typing import Any

import numpy as np
from hypothesis import strategies as st

from builders import JPEG_LOSSLESS, RLE, ct_slice
from builders_defects import ACTIONS
from builders_frames import encapsulated, jpeg_frame, rle_frame
from builders_parts import LOCALIZER, SECONDARY_CAPTURE, flat

AXES = [(1, 0, 0), (0, 1, 0), (0, 0, 1), (-1, 0, 0), (0, -1, 0), (0, 0, -1)]
ORIENTATIONS = [r + c for r in AXES for c in AXES if np.cross(r, c).any()]

# What one file of a series may have.
FLAWS: dict[str, dict[str, Any]] = {
    "no position": {"ImagePositionPatient": None},
    "no orientation": {"ImageOrientationPatient": None},
    "other orientation": {"ImageOrientationPatient": (0.8, 0.6, 0, 0, 0, -1)},
    "bad orientation": {"ImageOrientationPatient": (0.8, 0.8, 0, 0, 0, -1)},
    "larger": {"pixels": np.ones((4, 4), np.int16)},
    "fewer bits": {"BitsStored": 12, "HighBit": 11},
    "nearly the spacing": {"PixelSpacing": (0.5002, 0.25)},
    "other spacing": {"PixelSpacing": (0.51, 0.25)},
    "no spacing": {"PixelSpacing": None},
    "no slope": {"RescaleSlope": None},
    "echo": {"EchoTime": "4.60"},
    "localizer": {"ImageType": LOCALIZER},
    "capture": {"SOPClassUID": SECONDARY_CAPTURE, "Modality": "XA"},
    "other series": {"SeriesInstanceUID": "1.2.9"},
    "no series": {"SeriesInstanceUID": None},
    "same instance": {"SOPInstanceUID": "1.2.0"},
    "no instance": {"SOPInstanceUID": None},
    "bad decimal": {"RescaleSlope": "1,5"},
    "three frames": {"pixels": np.ones((3, 3, 4), np.int16)},
    "fewer frames": {"pixels": bytes(24), "NumberOfFrames": 3},
    "compressed": {"syntax": RLE, "pixel_element": encapsulated([[rle_frame(flat(5))]])},
    "bad frame": {"syntax": JPEG_LOSSLESS, "pixel_element": encapsulated([[jpeg_frame(4, 4)]])},
}
AS_A_WHOLE = ["", "", "", "no position", "localizer", "capture", "no series", "nearly the spacing"]


@st.composite
def flawed_series(draw: st.DrawFn) -> dict[str, bytes]:
    """Files by name; most have no flaw, few have two."""
    orientation = draw(st.sampled_from(ORIENTATIONS))
    normal, row = np.cross(orientation[:3], orientation[3:]), np.array(orientation[:3])
    step = draw(st.sampled_from([0.3, 1.0, 2.5]))
    shift = draw(st.sampled_from([0.0, 0.0, 0.2, 1.5]))
    places = draw(st.lists(st.integers(0, 7), min_size=1, max_size=7))
    common = FLAWS.get(draw(st.sampled_from(AS_A_WHOLE)), {})
    letters = draw(st.permutations("abcdefghijklmn"))
    files: dict[str, bytes] = {}
    for number, place in enumerate(places):
        off = draw(st.sampled_from([0.0] * 6 + [0.003, 0.02, 0.3]))
        position = normal * (step * (place + off)) + row * (shift * step * place)
        values: dict[str, Any] = {
            "pixels": flat(100 * number),
            "SOPInstanceUID": f"1.2.{number}",
            "InstanceNumber": draw(st.none() | st.integers(0, 3)),
            "ImageOrientationPatient": orientation,
            "ImagePositionPatient": tuple(round(float(x), 6) for x in position),
        }
        flaw = draw(st.sampled_from([""] * (2 * len(FLAWS)) + list(FLAWS)))
        data = ct_slice(**(values | common | FLAWS.get(flaw, {})))
        files[f"{letters[number]}.dcm"] = data[:-5] if draw(st.integers(0, 29)) == 29 else data
        if draw(st.integers(0, 9)) == 9:
            files[f"{letters[number + 7]}.dcm"] = data
    return files


@st.composite
def policies(draw: st.DrawFn) -> dict[str, Any]:
    """Any action for any code, more often one that goes on, and any tolerances."""
    chosen: dict[str, Any] = {
        code: draw(st.sampled_from([*actions, *[a for a in actions if a != "raise"] * 3]))
        for code, actions in ACTIONS.items()
    }
    chosen["spacing_tolerance"] = draw(st.sampled_from([0.05, 0.05, 0.01, 0.35]))
    chosen["position_tolerance_mm"] = draw(st.sampled_from([0.05, 0.05, 0, 1.0]))
    chosen["fill_value"] = draw(st.sampled_from([None, None, 0.0, -2000.5]))
    return chosen
