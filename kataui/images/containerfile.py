"""A Containerfile is built by buildah, in a storage of its own that is thrown away."""

import contextlib
import os
import shutil
import tempfile
from collections.abc import Callable, Iterator
from pathlib import Path

from kataui import tools
from kataui.errors import ImageError
from kataui.files import clean
from kataui.progress import Control


@contextlib.contextmanager
def build_containerfile(
    file: Path,
    context: Path,
    tag: str,
    *,
    control: Control,
    on_line: Callable[[str], None] | None,
) -> Iterator[Path]:
    """Build ``file`` and give the folder of an OCI layout with the image under ``tag``.

    buildah pulls what ``FROM`` names, which uses the network. Raises ``NotPossibleHere`` without
    buildah, ``ImageError`` with what it said when it fails.
    """
    buildah = tools.require("buildah", purpose="Building a Containerfile")
    if not file.is_file() or not context.is_dir():
        missing = context if file.is_file() else file
        raise ImageError(f"There is no {clean(str(missing))}.")
    folder = Path(tempfile.mkdtemp(prefix="kataui-build-"))
    base = [str(buildah), "--storage-driver", "vfs"]
    base += ["--root", str(folder / "root"), "--runroot", str(folder / "run")]
    name = "localhost/kataui-build"
    build = [*base, "build", "--isolation", "chroot", "--format", "oci", "--layers=false"]
    build += ["--tag", name, "--file", str(file), str(context)]
    push = [*base, "push", "--quiet", name, f"oci:{folder / 'layout'}:{tag}"]
    try:
        for argv in (build, push):
            outcome = tools.run(argv, control=control, on_line=on_line)
            if outcome.status != 0:
                raise ImageError(
                    f"The Containerfile was not built: {outcome.problem()}.",
                    hint="What buildah said stands above.",
                )
        yield folder / "layout"
    finally:
        _remove(folder)


def _remove(folder: Path) -> None:
    """Root file systems may hold folders that even their owner may not enter."""
    for path, names, _ in os.walk(folder):
        for name in names:
            child = Path(path) / name
            if not child.is_symlink():
                with contextlib.suppress(OSError):
                    child.chmod(0o700)
    shutil.rmtree(folder, ignore_errors=True)
