"""The answers of ``kataui image build``, and what is still wrong with them. Nothing is written."""

import platform
import shlex
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path, PurePosixPath

from kataui.errors import DestinationProblem, ImageError, KatauiError
from kataui.files import clean, is_file, is_folder
from kataui.findings import Problem
from kataui.images.buildtree import WHITEOUT, parse_owner
from kataui.images.model import Platform
from kataui.images.platforms import parse_platforms
from kataui.images.reference import parse_destination
from kataui.images.writer import check_target

# Go's GOARCH for what uname says
_MACHINES = {"x86_64": "amd64", "aarch64": "arm64", "armv7l": "arm", "i686": "386"}


@dataclass(frozen=True, slots=True)
class Addition:
    """A folder or file to put at ``target``; ``owner`` "uid:gid", or empty to keep.

    What is in a folder comes to lie in ``target``; a file becomes ``target``, or lies in it when
    ``target`` ends with ``/``. A tar stays a file.
    """

    source: str
    target: str
    owner: str = ""


@dataclass(frozen=True, slots=True)
class BuildAnswers:
    """What to build. Empty or ``None`` means "as the base has it".

    ``rootfs`` is a folder or a tar (plain, gzip, zstd, xz); ``remove`` are absolute paths of the
    base, which are hidden before anything is added: their bytes stay in the base's layers.
    """

    destination: str
    base: str = ""
    rootfs: str = ""
    add: tuple[Addition, ...] = ()
    remove: tuple[str, ...] = ()
    containerfile: str = ""
    context: str = ""
    entrypoint: tuple[str, ...] | None = None
    command: tuple[str, ...] | None = None
    env: tuple[str, ...] = ()
    user: str = ""
    working_dir: str = ""
    labels: tuple[tuple[str, str], ...] = ()
    platform: str = ""
    force: bool = False

    @property
    def context_folder(self) -> Path:
        """What ``COPY`` in the Containerfile copies from."""
        return Path(self.context or Path(self.containerfile).resolve().parent)


def parse_words(text: str) -> tuple[str, ...]:
    """A command as a shell would split it; raises ``ImageError`` when a quote is open."""
    try:
        return tuple(shlex.split(text))
    except ValueError as error:
        raise ImageError(
            f"{clean(text, limit=90)!r} has an open quote.", hint="A backslash quotes one sign."
        ) from error


def parse_label(text: str) -> tuple[str, str]:
    """``NAME=VALUE``; raises ``ImageError``."""
    name, equals, value = text.partition("=")
    if not equals or not name:
        raise ImageError(f"{clean(text, limit=60)!r} is not NAME=VALUE.")
    return name, value


def problems(answers: BuildAnswers) -> tuple[Problem, ...]:
    """What is wrong with the answers; nothing is written and no image is opened."""
    return tuple(
        Problem(field, f"{error.message} {error.hint}".strip())
        for field, error in errors_of(answers)
    )


def wanted_platform(text: str) -> Platform:
    """The one platform of a new image, "" for this machine's; raises ``ImageError``."""
    wanted = parse_platforms(text)
    if text and len(wanted) != 1:
        raise ImageError("One image is for one platform.", hint="Write for example linux/arm64.")
    machine = platform.machine()
    return wanted[0] if wanted else Platform("linux", _MACHINES.get(machine, machine))


def errors_of(answers: BuildAnswers) -> Iterator[tuple[str, KatauiError]]:
    """Each field that is wrong, and how."""
    checks: list[tuple[str, Callable[[], object]]] = [
        ("destination", lambda: _check_destination(answers)),
        ("platform", lambda: wanted_platform(answers.platform)),
        ("rootfs", lambda: _check_content(answers)),
        ("containerfile", lambda: _check_containerfile(answers)),
        *(("add", lambda item=item: _check_addition(item)) for item in answers.add),
        *(("remove", lambda name=name: _check_path(name)) for name in answers.remove),
        *(("env", lambda text=text: _check_variable(text)) for text in answers.env),
        *(("labels", lambda pair=pair: _check_label(*pair)) for pair in answers.labels),
        ("working_dir", lambda: _check_working_dir(answers.working_dir)),
        ("user", lambda: _check_text(answers.user)),
        *(("entrypoint", lambda word=word: _check_text(word)) for word in answers.entrypoint or ()),
        *(("command", lambda word=word: _check_text(word)) for word in answers.command or ()),
    ]
    for field, check in checks:
        try:
            check()
        except KatauiError as error:
            yield field, error


def _check_destination(answers: BuildAnswers) -> None:
    if not answers.destination:
        raise DestinationProblem("Name where the image is to be written.")
    target = Path(parse_destination(answers.destination).path)
    check_target(target, force=answers.force)
    for source in (answers.rootfs, *(item.source for item in answers.add)):
        folder = Path(source)
        if source and _is_there(folder) and target.resolve().is_relative_to(folder.resolve()):
            raise DestinationProblem(
                f"The image cannot be written into {clean(source)}, which goes into the image.",
                hint="Choose a place outside that folder.",
            )


def _check_content(answers: BuildAnswers) -> None:
    if answers.containerfile:
        return
    if not (answers.base or answers.rootfs or answers.add):
        raise ImageError("Name a root file system, a base image or something to add.")
    if answers.base and answers.rootfs:
        raise ImageError("A base image has its root file system already.")
    if answers.remove and not (answers.base or answers.rootfs):
        raise ImageError("There is nothing to remove from: name a base image.")
    if answers.rootfs and not _is_there(Path(answers.rootfs)):
        raise ImageError(f"There is no {clean(answers.rootfs)}.")


def _check_containerfile(answers: BuildAnswers) -> None:
    if not answers.containerfile:
        if answers.context:
            raise ImageError("A context is only for a Containerfile.", hint="Name that too.")
        return
    if answers.base or answers.rootfs or answers.add or answers.remove:
        raise ImageError("A Containerfile says itself what goes in.")
    file, context = Path(answers.containerfile), answers.context_folder
    for path, good in ((file, is_file(file)), (context, is_folder(context))):
        if not good:
            raise ImageError(f"There is no {clean(str(path))}.")


def _check_addition(item: Addition) -> None:
    if not item.source or not _is_there(Path(item.source)):
        raise ImageError(f"There is no {clean(item.source) or 'file without a name'}.")
    if item.target != "/":
        _check_path(item.target)
    if item.owner:
        parse_owner(item.owner)


def _is_there(path: Path) -> bool:
    try:
        return path.exists()
    except (OSError, ValueError):  # a name too long, or with a NUL, is no file
        return False


def _check_path(name: str) -> None:
    parts = PurePosixPath(name).parts
    if not name.startswith("/") or len(parts) < 2 or ".." in parts or "\0" in name:
        raise ImageError(f"{clean(name)!r} is no absolute path in the image.")
    if any(part.startswith(WHITEOUT) for part in parts):
        raise ImageError(
            f"{clean(name)!r} cannot be in an image.",
            hint=f"Names that begin with {WHITEOUT} mean that a file was deleted.",
        )


def _check_variable(text: str) -> None:
    _check_text(text)
    if "=" not in text or text.startswith("="):
        raise ImageError(f"{clean(text, limit=60)!r} is not NAME=VALUE.")


def _check_label(name: str, value: str) -> None:
    _check_text(name + value)
    if not name:
        raise ImageError("A label needs a name.", hint="Write NAME=VALUE.")


def _check_working_dir(text: str) -> None:
    _check_text(text)
    if text and not text.startswith("/"):
        raise ImageError(f"{clean(text)!r} is no absolute path in the image.")


def _check_text(text: str) -> None:
    """JSON holds any text but halves of characters; programs get none with a NUL."""
    if "\0" in text or any("\ud800" <= char <= "\udfff" for char in text):
        raise ImageError(f"{clean(text, limit=60)!r} is not valid text (UTF-8 without NUL).")
