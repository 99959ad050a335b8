"""``packaging/build [PART ...] [--out DIR]``: makes what is shipped, the same bytes each time.

Parts: ``wheel`` (and sdist), ``folder`` (the self-contained program and its archive), ``deb``,
``bill`` (the SBOM and the licences). A part that another needs is made first. Nothing here uses
a network.
"""

import argparse
import os
import subprocess
import sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parent))

import archive
import bill
import deb
from place import ROOT, Place, moment_s, size_text

PARTS = ("wheel", "folder", "deb", "bill")


def main() -> int:
    """Make the parts and say how large they are."""
    parser = argparse.ArgumentParser(prog="packaging/build")
    parser.add_argument("parts", nargs="*", metavar="PART", help=", ".join(PARTS))
    parser.add_argument("--out", type=Path, default=ROOT / "dist")
    arguments = parser.parse_args()
    unknown = set(arguments.parts) - set(PARTS)
    if unknown:
        parser.error(f"no such part: {', '.join(sorted(unknown))}")
    place = Place(arguments.out.absolute(), moment_s())
    os.environ.update(SOURCE_DATE_EPOCH=str(place.moment_s), PYTHONHASHSEED="0")
    place.out.mkdir(parents=True, exist_ok=True)
    made = list(make(place, arguments.parts or PARTS))
    for path in made:
        print(f"{size_text(path):>9}  {path}")
    return 0


def make(place: Place, parts: "list[str] | tuple[str, ...]") -> "list[Path]":
    """The files that were made."""
    made = []
    if "wheel" in parts:
        made += wheel(place)
    if "bill" in parts or "deb" in parts:
        made += bill.write(place)
    if "folder" in parts or ("deb" in parts and not place.program.exists()):
        folder(place)
        made.append(place.folder)
    if "folder" in parts:
        made.append(archive.write(place))
    if "deb" in parts:
        made.append(deb.write(place))
    return made


def wheel(place: Place) -> "list[Path]":
    """Wheel and sdist, by hatchling, which takes its time from SOURCE_DATE_EPOCH."""
    command = [sys.executable, "-m", "hatchling", "build", "-d", str(place.out)]
    subprocess.run(command, cwd=ROOT, check=True, stdout=subprocess.DEVNULL)
    return sorted(place.out.glob("kataui-*.whl")) + sorted(place.out.glob("kataui-*.tar.gz"))


def folder(place: Place) -> None:
    """The self-contained program, by PyInstaller."""
    place.build.mkdir(parents=True, exist_ok=True)
    spec = ROOT / "packaging" / "ship" / "kataui.spec"
    words = ["--noconfirm", "--log-level", "WARN", "--distpath", str(place.out)]
    command = [
        sys.executable,
        "-m",
        "PyInstaller",
        *words,
        "--workpath",
        str(place.build),
        str(spec),
    ]
    subprocess.run(command, cwd=ROOT, check=True)


if __name__ == "__main__":
    sys.exit(main())
