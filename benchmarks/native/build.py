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
_FLAGS: Final = ("-O3", "-march=native", "-Wall", "-Wextra", "-Werror", "-fPIC", "-shared")
# What cmake/Dependencies.cmake looks for.
_GDCM_INCLUDES: Final = tuple(
    Path(prefix) / "include" / f"gdcm-{version}"
    for prefix in ("/usr", "/usr/local")
    for version in ("3.2", "3.0")
)
_GDCM_LIBRARIES: Final = ("-lgdcmMSFF", "-lgdcmDSED", "-lgdcmDICT", "-lgdcmCommon")


@cache
def library(name: str) -> ctypes.CDLL:
    """Load a library, compiled before if the source, the command or the processor changed.

    Args:
        name: A source file beside this one: "limit.c" or "gdcm_peer.cpp".

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
    if source.suffix == ".c":
        return ["cc", "-std=c11", "-pthread", *_FLAGS, str(source)]
    found = [path for path in _GDCM_INCLUDES if (path / "gdcmImageReader.h").is_file()]
    if not found:
        msg = f"GDCM's headers are in none of {', '.join(map(str, _GDCM_INCLUDES))}"
        raise RuntimeError(msg)
    # As a system header: its warnings are not ours.
    includes = ["-isystem", str(found[0])]
    return ["c++", "-std=c++20", "-pthread", *_FLAGS, *includes, str(source), *_GDCM_LIBRARIES]


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
