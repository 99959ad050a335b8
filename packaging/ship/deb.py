"""The Debian package: the self-contained program under /usr/lib/kataui, made by dpkg-deb.

Source: Debian Policy 4.6.2, deb-control(5), deb-md5sums(5).
"""

import gzip
import hashlib
import os
import platform
import re
import shutil
import subprocess
from email.utils import formatdate
from pathlib import Path

import bill
import desktop
from place import ROOT, VERSION, Place

_MAINTAINER = "The kataui developers <kataui@kataui.invalid>"
_OVERRIDES = """\
# A program that carries its own Python, Qt and libraries, so that it runs without a network.
kataui: embedded-library
kataui: unstripped-binary-or-object
kataui: hardening-no-pie
kataui: hardening-no-relro
kataui: hardening-no-fortify-functions
kataui: hardening-no-bindnow
kataui: shared-library-is-executable
kataui: shared-library-lacks-prerequisites
kataui: sharedobject-in-library-directory-missing-soname
kataui: library-not-linked-against-libc
kataui: custom-library-search-path
kataui: executable-stack-in-shared-library
kataui: binary-without-manpage
kataui: package-installs-python-bytecode
kataui: package-contains-documentation-outside-usr-share-doc
kataui: extra-license-file
kataui: national-encoding
kataui: missing-depends-on-sensible-utils
kataui: initial-upload-closes-no-bugs
"""


def write(place: Place) -> Path:
    """``kataui_VERSION_ARCH.deb``; what is in it is staged in ``build/deb`` anew."""
    stage = place.build / "deb"
    shutil.rmtree(stage, ignore_errors=True)
    usr = stage / "usr"
    (usr / "bin").mkdir(parents=True)
    (usr / "bin" / "kataui").symlink_to("../lib/kataui/kataui")
    shutil.copytree(place.folder, usr / "lib" / "kataui", symlinks=True)
    desktop.write(place, usr / "share")
    _documents(place, usr / "share")
    architecture = _said("dpkg", "--print-architecture")
    _settle(stage, place.moment_s)
    _control(stage, architecture)
    _settle(stage, place.moment_s)
    path = place.out / f"kataui_{VERSION}_{architecture}.deb"
    packing = ("-Zxz", "-z2", "--threads-max=2")
    words = ["dpkg-deb", "--root-owner-group", *packing, "--build", str(stage), str(path)]
    subprocess.run(words, check=True, stdout=subprocess.DEVNULL)
    return path


def _said(*words: str) -> str:
    return subprocess.run(words, check=True, capture_output=True, text=True).stdout.strip()


def _depends() -> str:
    """The libraries of the system that Qt needs (packaging/environment.sh), and the C library."""
    text = (ROOT / "packaging" / "environment.sh").read_text()
    (named,) = re.findall(r'qt_packages_debian="([^"]+)"', text)
    libraries = [name for name in named.split() if not name.startswith("fonts-")]
    libc = f"libc6 (>= {platform.libc_ver()[1]})"
    return ", ".join([libc, *sorted(libraries)])


def _control(stage: Path, architecture: str) -> None:
    files = sorted(path for path in stage.rglob("*") if path.is_file() and not path.is_symlink())
    size_kib = sum(-(-path.stat().st_size // 1024) for path in files)
    folder = stage / "DEBIAN"
    folder.mkdir()
    (folder / "control").write_text(
        f"""\
Package: kataui
Version: {VERSION}
Architecture: {architecture}
Maintainer: {_MAINTAINER}
Installed-Size: {size_kib}
Depends: {_depends()}
Recommends: fonts-dejavu-core
Suggests: buildah, gpg, openssh-client, prometheus, skopeo
Section: utils
Priority: optional
Homepage: https://katacontainers.io/
Description: pipelines, confidential images and isolation for Kata Containers
 Kata Containers runs each pod in a virtual machine of its own. kataui makes
 CI/CD pipelines on it from templates, encrypts and signs container images and
 proves it, and shows who makes whom wait on a host.
 .
 It works without a network, and brings its own Python and Qt.
""",
        encoding="utf-8",
    )
    sums = (f"{hashlib.md5(p.read_bytes()).hexdigest()}  {p.relative_to(stage)}\n" for p in files)
    (folder / "md5sums").write_text("".join(sums), encoding="utf-8")


def _documents(place: Place, share: Path) -> None:
    """Copyright, changelog, the bill of materials, and what lintian is told."""
    folder = share / "doc" / "kataui"
    folder.mkdir(parents=True)
    own = (
        "Format: https://www.debian.org/doc/packaging-manuals/copyright-format/1.0/\n"
        "Upstream-Name: kataui\n\nFiles: *\nCopyright: 2026 The kataui developers\n"
        "License: Apache-2.0\n On Debian systems it is in /usr/share/common-licenses/Apache-2.0.\n"
        " The libraries that are shipped with it have licences of their own: see LICENSES.txt.gz.\n"
    )
    (folder / "copyright").write_text(own, encoding="utf-8")
    when = formatdate(place.moment_s)
    changes = (
        f"kataui ({VERSION}) unstable; urgency=medium\n\n  * See the README.\n\n"
        f" -- {_MAINTAINER}  {when}\n"
    )
    _packed(folder / "changelog.gz", changes.encode())
    for path in bill.write(place):
        _packed(folder / f"{path.name}.gz", path.read_bytes())
    overrides = share / "lintian" / "overrides" / "kataui"
    overrides.parent.mkdir(parents=True)
    overrides.write_text(_OVERRIDES, encoding="utf-8")


def _packed(path: Path, data: bytes) -> None:
    with path.open("wb") as raw, gzip.GzipFile("", "wb", 9, raw, mtime=0) as stream:
        stream.write(data)


def _settle(stage: Path, moment_s: int) -> None:
    """Rights and times that do not depend on who builds, and when."""
    for path in [stage, *stage.rglob("*")]:
        if not path.is_symlink():
            runs = path.is_dir() or path.stat().st_mode & 0o100
            path.chmod(0o755 if runs else 0o644)
        os.utime(path, (moment_s, moment_s), follow_symlinks=False)
