"""Compiles what is written in C and C++ here, for the machine that it then runs on."""

from __future__ import annotations

import ctypes
import hashlib
import subprocess
import tempfile
from functools import cache
from pathlib import Path
from typing import Final

BUILD: Final = Path(__file__).resolve().parents[2] / "build" / "native"
_SOURCES: Final = Path(__file__).resolve().parent
_FLAGS: Final = ("-O3", "-Wall", "-Wextra", "-Werror", "-fPIC", "-shared")
# valgrind knows no AVX-512: what it runs chooses its instructions at run time.
_FOR_THIS_MACHINE: Final = ("-march=native",)
_UNDER_VALGRIND: Final = ("codec_peer.cpp", "count.c")
# Where the headers are that a compiler does not look for by itself: as cmake/Dependencies.cmake.
_PREFIXES: Final = ("/usr", "/usr/local")
_HEADERS: Final = {
    "gdcm_peer.cpp": ("gdcmImageReader.h", ("gdcm-3.2", "gdcm-3.0")),
    "codec_peer.cpp": ("openjpeg.h", ("openjpeg-2.5", "openjpeg-2.4")),
}
_LIBRARIES: Final = {
    "gdcm_peer.cpp": ("-lgdcmMSFF", "-lgdcmDSED", "-lgdcmDICT", "-lgdcmCommon"),
    "codec_peer.cpp": ("-ljpeg", "-lopenjp2"),
}


@cache
def library(name: str) -> ctypes.CDLL:
    """Load a library, compiled before if the source, the command or the processor changed.

    Args:
        name: A source file beside this one, such as "limit.c".

    Raises:
        RuntimeError: It does not compile; with the text of the compiler.
    """
    source = _SOURCES / name
    command = _command(source)
    key = hashlib.sha256(source.read_bytes())
    key.update(" ".join(command).encode())
    key.update(_processor())
    path = BUILD / f"{source.stem}-{key.hexdigest()[:16]}.so"
    if not path.is_file():
        _compile(command, path)
    return ctypes.CDLL(str(path))


def _command(source: Path) -> list[str]:
    flags = _FLAGS if source.name in _UNDER_VALGRIND else (*_FLAGS, *_FOR_THIS_MACHINE)
    if source.suffix == ".c":
        return ["cc", "-std=c11", "-pthread", *flags, str(source)]
    header, folders = _HEADERS[source.name]
    paths = [Path(prefix) / "include" / name for prefix in _PREFIXES for name in folders]
    found = [path for path in paths if (path / header).is_file()]
    if not found:
        msg = f"{header} is in none of {', '.join(map(str, paths))}"
        raise RuntimeError(msg)
    # As a system header: its warnings are not ours.
    includes = ["-isystem", str(found[0])]
    libraries = _LIBRARIES[source.name]
    return ["c++", "-std=c++20", "-pthread", *flags, *includes, str(source), *libraries]


def _compile(command: list[str], path: Path) -> None:
    BUILD.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(dir=BUILD) as temporary:
        partial = Path(temporary) / path.name
        done = subprocess.run(
            [*command, "-o", str(partial)], capture_output=True, text=True, check=False
        )
        if done.returncode:
            msg = f"{' '.join(command)} failed:\n{done.stderr}"
            raise RuntimeError(msg)
        partial.replace(path)


def _processor() -> bytes:
    """What -march=native depends on."""
    lines = Path("/proc/cpuinfo").read_bytes().splitlines()
    return b"\n".join(sorted({line for line in lines if line.startswith((b"model", b"flags"))}))
