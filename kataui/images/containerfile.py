"""A Containerfile is built by buildah, in a storage of its own that is thrown away."""

import contextlib
import os
import resource
import shutil
import tempfile
from collections.abc import Callable, Iterator
from pathlib import Path

from kataui import tools
from kataui.errors import ImageError
from kataui.progress import Control

_NAME = "localhost/kataui-build"


@contextlib.contextmanager
def build_containerfile(
    file: Path,
    context: Path,
    *,
    platform: str,
    epoch_s: int | None,
    control: Control,
    on_line: Callable[[str], None] | None,
) -> Iterator[Path]:
    """Build ``file`` and give the folder of an OCI layout that holds the image and nothing else.

    buildah fetches what ``FROM`` names, which uses the network unless it is ``scratch``. With
    ``epoch_s`` all its files get that time. Raises ``NotPossibleHere`` without buildah,
    ``ImageError`` with what it said when it fails. Written to disk: a temporary folder (TMPDIR).
    """
    buildah = str(tools.require("buildah", purpose="Building a Containerfile"))
    folder = Path(tempfile.mkdtemp(prefix="kataui-build-"))
    base = [buildah, "--storage-driver", "vfs"]  # needs no rights and no kernel support
    base += ["--root", str(folder / "root"), "--runroot", str(folder / "run")]
    options = ["--isolation", "chroot", "--format", "oci", "--layers=false", *_limits()]
    if platform:
        options += ["--platform", platform]
    if epoch_s is not None:
        options += ["--timestamp", str(epoch_s)]
    build = [*base, "build", *options, "--tag", _NAME, "--file", str(file), "--", str(context)]
    push = [*base, "push", "--quiet", _NAME, f"oci:{folder / 'layout'}:latest"]
    # newer ones read the variable too, and refuse to have both
    env = {"SOURCE_DATE_EPOCH": ""}
    try:
        for argv in (build, push):
            outcome = tools.run(argv, control=control, on_line=on_line, env=env)
            if outcome.status != 0:
                raise ImageError(
                    f"The Containerfile was not built: {outcome.problem()}.",
                    hint="What buildah said before tells which step it was.",
                )
        yield folder / "layout"
    finally:
        _remove(folder, base)


def _limits() -> list[str]:
    """Our own limits: buildah would set higher ones, which not everybody may (setrlimit(2))."""
    options = []
    for name, kind in (("nofile", resource.RLIMIT_NOFILE), ("nproc", resource.RLIMIT_NPROC)):
        soft, hard = resource.getrlimit(kind)
        if resource.RLIM_INFINITY not in {soft, hard}:
            options += ["--ulimit", f"{name}={soft}:{hard}"]
    return options


def _remove(folder: Path, base: list[str]) -> None:
    """Remove the storage; without root only buildah may, for files belong to other user ids."""
    for verb in (["rm", "--all"], ["rmi", "--all", "--force"]):
        tools.run([*base, *verb])
    for path, names, _ in os.walk(folder):
        for name in names:  # image folders that even their owner may not enter
            child = Path(path) / name
            if not child.is_symlink():
                with contextlib.suppress(OSError):
                    child.chmod(0o700)
    shutil.rmtree(folder, ignore_errors=True)
