"""The installed wheel: what it contains, and that its libraries are its own; for `make wheel`."""

from __future__ import annotations

import base64
import hashlib
import importlib
import importlib.metadata
import json
import re
import subprocess
import sys
import sysconfig
from pathlib import Path
from typing import Any

import imagecodecs
import numpy as np
import pytest

import torchdicom as td
from builders import (
    BIG,
    DEFLATED,
    ENCAPSULATED,
    EXPLICIT,
    IMPLICIT,
    JPEG,
    JPEG_2000,
    JPEG_LOSSLESS,
    JPEG_LS,
    RLE,
    Syntax,
    cells_to_bytes,
    ct_slice,
)
from builders_frames import encapsulated, even, rle_frame
from helpers import ROOT
from torchdicom import _ext

pytestmark = pytest.mark.wheel

NATIVE = [IMPLICIT, EXPLICIT, BIG, DEFLATED]
# Loads nothing of the project, then every file that is named; prints what it has mapped each time.
CHILD = """
import json, re, sys
from pathlib import Path

def mapped():
    lines = Path("/proc/self/maps").read_text().splitlines()
    return sorted({line.split(maxsplit=5)[5] for line in lines if ".so" in line})

import numpy, torch
before = mapped()
import torchdicom as td
sums = [int(td.decode(path).sum(dtype=torch.int64)) for path in sys.argv[1:]]
print(json.dumps({"before": before, "after": mapped(), "sums": sums}))
"""
# What the wheel has to carry; anything else in it is what these link.
CARRIED = {"libgdcmcommon", "libgdcmdsed", "libgdcmmsff", "libgdcmjpeg8", "libgdcmjpeg12"}
CARRIED |= {"libgdcmjpeg16", "libcharls", "libopenjp2", "libdeflate", "libjpeg", "libjxl"}


def stem(path: str) -> str:
    """A library's name without its folder, version, and the hash that the repair adds."""
    return re.sub(r"(-[0-9a-f]{8})?\.so.*$", "", Path(path).name).lower()


def site() -> Path:
    return Path(sysconfig.get_path("platlib")).resolve()


def installed() -> dict[str, importlib.metadata.PackagePath]:
    """The files that the wheel brought, by their names below site-packages."""
    files = importlib.metadata.files("torchdicom") or []
    return {str(file): file for file in files if "__pycache__" not in file.parts}


def licences() -> Path:
    (found,) = site().glob("torchdicom-*.dist-info/licenses")
    return found


def encoded(cells: Any, syntax: Syntax) -> bytes:
    """One frame as a codestream."""
    if syntax == RLE:
        return rle_frame(cells)
    if syntax == ENCAPSULATED:
        return cells_to_bytes(cells)
    if syntax == JPEG:
        return bytes(imagecodecs.jpeg8_encode(cells, level=100))
    if syntax == JPEG_LOSSLESS:
        return bytes(imagecodecs.ljpeg_encode(cells))
    if syntax == JPEG_LS:
        return bytes(imagecodecs.jpegls_encode(cells))
    return bytes(imagecodecs.jpeg2k_encode(cells, codecformat="j2k", reversible=True, level=0))


def write_file_of(folder: Path, syntax: Syntax, bits: int) -> Path:
    """A flat frame, which lossy codecs keep as it is too."""
    cells = np.full((16, 16), 100, np.uint8 if bits == 8 else np.uint16)
    pixels = encapsulated([[even(encoded(cells, syntax))]]) if syntax not in NATIVE else None
    form: dict[str, Any] = {"BitsStored": bits, "HighBit": bits - 1, "PixelRepresentation": 0}
    path = folder / f"{syntax.uid}-{bits}.dcm"
    path.write_bytes(ct_slice(cells, syntax=syntax, pixel_element=pixels, **form))
    return path


def test_the_wheel_is_what_is_imported() -> None:
    assert Path(td.__file__).resolve() == site() / "torchdicom" / "__init__.py"
    assert Path(_ext.__file__).resolve().parent == site() / "torchdicom"
    assert site().is_relative_to(Path(sys.prefix).resolve())
    assert not site().is_relative_to(ROOT)
    version = re.search(r'^version = "(.*)"$', (ROOT / "pyproject.toml").read_text(), re.MULTILINE)
    assert version is not None
    assert td.__version__ == _ext.__version__ == version[1]
    assert importlib.metadata.version("torchdicom") == version[1]


def test_tag() -> None:
    text = importlib.metadata.distribution("torchdicom").read_text("WHEEL") or ""
    tags = re.findall(r"^Tag: (.*)$", text, re.MULTILINE)
    python = f"cp{sys.version_info.major}{sys.version_info.minor}"
    assert tags
    assert all(tag.startswith(f"{python}-{python}-manylinux_2_") for tag in tags)


def test_package_is_that_of_the_sources() -> None:
    source = ROOT / "src"
    wanted = {
        str(path.relative_to(source)): path.read_bytes()
        for path in (source / "torchdicom").rglob("*")
        if path.suffix in {".py", ".pyi", ".typed"}
    }
    assert {"torchdicom/py.typed", "torchdicom/_ext.pyi"} <= set(wanted)
    package = {name: file for name, file in installed().items() if name.startswith("torchdicom/")}
    modules = [name for name in package if name.endswith(".so")]
    assert modules == [f"torchdicom/{Path(_ext.__file__).name}"]
    assert {n: f.read_binary() for n, f in package.items() if n not in modules} == wanted


def test_nothing_else_is_installed() -> None:
    folders = {name.split("/")[0] for name in installed()}
    (info,) = [name for name in folders if name.endswith(".dist-info")]
    assert folders == {"torchdicom", "torchdicom.libs", info}
    libraries = [name for name in installed() if name.startswith("torchdicom.libs/")]
    assert [name for name in libraries if ".so" not in name] == []


def test_record_fits_the_files() -> None:
    # The repair writes it anew.
    for name, file in installed().items():
        if file.hash is not None:
            digest = hashlib.new(file.hash.mode, file.read_binary()).digest()
            value = base64.urlsafe_b64encode(digest).rstrip(b"=").decode()
            assert value == file.hash.value, name


def test_each_library_has_its_licence() -> None:
    assert (licences() / "LICENSE").read_bytes() == (ROOT / "LICENSE").read_bytes()
    rows = [line.split("\t") for line in (licences() / "libraries.tsv").read_text().splitlines()]
    assert rows[0] == ["library", "package", "version", "licences"]
    carried = {path.name for path in (site() / "torchdicom.libs").iterdir()}
    assert {row[0] for row in rows[1:]} == carried
    listed = importlib.metadata.metadata("torchdicom").get_all("License-File") or []
    for library, package, version, names in rows[1:]:
        assert package, library
        assert version, library
        assert names, library
        for name in names.split():
            assert (licences() / name).stat().st_size > 100, name
            assert name in listed


def test_libraries_come_from_the_wheel(tmp_path: Path) -> None:
    jpeg = [(JPEG, 8), (JPEG_LOSSLESS, 8), (JPEG_LOSSLESS, 12), (JPEG_LOSSLESS, 16)]
    others = [JPEG_LS, JPEG_2000, RLE, ENCAPSULATED, *NATIVE]
    paths = [write_file_of(tmp_path, *one) for one in [*jpeg, *((s, 16) for s in others)]]
    run = subprocess.run(
        [sys.executable, "-c", CHILD, *map(str, paths)],
        capture_output=True,
        text=True,
        check=True,
        cwd=tmp_path,
    )
    seen: dict[str, Any] = json.loads(run.stdout)
    assert seen["sums"] == [100 * 16 * 16] * len(paths)

    inside = site() / "torchdicom.libs"
    own = [path for path in seen["after"] if Path(path).resolve().is_relative_to(inside)]
    assert {Path(path).name for path in own} == {path.name for path in inside.iterdir()}
    carried = {stem(path) for path in own}
    assert carried >= CARRIED
    foreign = {path: stem(path) for path in seen["after"] if path not in own}
    assert [path for path, name in foreign.items() if name in CARRIED or "gdcm" in name] == []
    # Python and torch may have a libcrypto of theirs; nothing that came with torchdicom may be.
    late = set(foreign) - set(seen["before"])
    assert [path for path in late if foreign[path] in carried] == []


def test_a_bridge_names_its_extra() -> None:
    with pytest.raises(ModuleNotFoundError, match=r"pip install 'torchdicom\[lightning\]'"):
        importlib.import_module("torchdicom.interop.lightning")
