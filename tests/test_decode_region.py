"""`region` of `decode`: the same pixels, in every native form, and no more read than its rows."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import pytest

import torchdicom as td
from builders_forms import COLOUR, float_file, native_file, packed_12_bits, packed_bits
from compare import assert_same_bits
from scanning import in_child

if TYPE_CHECKING:
    from pathlib import Path

    from helpers import Backend


def forms() -> dict[str, bytes]:
    """Two frames of 12 x 10 pixels in every form that native pixels have."""
    rng = np.random.default_rng(11)
    wide = rng.integers(0, 4096, (2, 12, 10))
    bits, octets = wide & 1, (wide & 255).astype(np.uint8)
    colour = rng.integers(0, 256, (2, 12, 10, 3)).astype(np.uint8)
    shared = rng.integers(0, 256, (2, 12, 5, 4)).astype(np.uint8)
    size, rgb = (12, 10), {"frames": 2, "allocated": 8, **COLOUR}
    planes = colour.transpose(0, 3, 1, 2).tobytes()
    ybr = COLOUR | {"PhotometricInterpretation": "YBR_FULL_422"}
    return {
        "1 bit": native_file(packed_bits(bits), size, allocated=1, frames=2),
        "8 bits": native_file(octets.tobytes(), size, allocated=8, frames=2),
        "12 bits": native_file(packed_12_bits(wide), size, allocated=12, frames=2),
        "interleaved": native_file(colour.tobytes(), size, **rgb),
        "planar": native_file(planes, size, **rgb | {"PlanarConfiguration": 1}),
        "4:2:2": native_file(shared.tobytes(), size, **rgb | ybr),
        "double": float_file(wide / 7),
    }


FORMS = forms()


@pytest.mark.parametrize("form", FORMS)
@pytest.mark.parametrize("region", [(0, 12, 0, 10), (3, 4, 0, 10), (5, 12, 3, 9), (0, 1, 9, 10)])
def test_region_of_decoded_frames(
    backend: Backend, form: str, region: tuple[int, int, int, int]
) -> None:
    y0, y1, x0, x1 = region
    whole = td.decode(FORMS[form], frames=[1, 0], backend=backend)
    part = td.decode(FORMS[form], frames=[1, 0], region=region, backend=backend)
    assert_same_bits(part, whole[..., y0:y1, x0:x1].contiguous())


READING = """
path, region = sys.argv[1], tuple(map(int, sys.argv[2].split())) or None
call = {"load": td.load, "decode": td.decode}[sys.argv[3]]
call(path, region=region, num_threads=1)
print(bytes_read(lambda: call(path, region=region, num_threads=1)))
"""


def bytes_read(path: Path, call: str, region: str = "") -> int:
    """What a process reads for a part of a file, by the count of the system."""
    found: int = in_child(READING, path, region, call)
    return found


@pytest.mark.parametrize("call", ["load", "decode"])
@pytest.mark.parametrize("samples", [1, 3])
def test_of_a_region_only_its_rows_are_read(tmp_path: Path, samples: int, call: str) -> None:
    rows, columns, ahead = 600, 500, 16_384
    cells = np.arange(rows * columns * samples, dtype=np.uint16)
    form = COLOUR | {"PlanarConfiguration": 1} if samples == 3 else {}
    path = tmp_path / "a.dcm"
    path.write_bytes(native_file(cells.tobytes(), (rows, columns), allocated=16, **form))
    row_bytes = columns * 2 * samples
    assert rows * row_bytes < bytes_read(path, call) < rows * row_bytes + 2 * ahead
    read = bytes_read(path, call, "400 407 3 9")
    assert 7 * row_bytes <= read < 7 * row_bytes + 2 * ahead
