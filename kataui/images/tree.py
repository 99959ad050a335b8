"""Named files in a folder or an archive, read without ever leaving it."""

import os
import stat
import tempfile
from collections.abc import Iterable
from pathlib import Path
from typing import BinaryIO, Protocol, cast

from kataui.errors import ImageError
from kataui.files import clean, problem_text


class Tree(Protocol):
    """Files by their name inside; names are relative, with ``/`` between the parts."""

    def size_bytes(self, name: str) -> int | None:
        """The file's size, or None when it is not there.

        Raises ``ImageError`` when the name or a link leads outside, or to something that is no
        regular file.
        """

    def names(self, folder: str) -> Iterable[str]:
        """The names of what lies directly in ``folder`` ("" is the top); empty when absent."""

    def open(self, name: str) -> BinaryIO:
        """A seekable raw stream; raises ``ImageError`` when the file is missing too."""

    def close(self) -> None:
        """Release what is held open or was unpacked."""


def read_small(tree: Tree, name: str, *, limit_bytes: int) -> bytes:
    """A small file whole; raises ``ImageError`` when it is missing or too big."""
    try:
        with tree.open(name) as stream:
            data = stream.read(limit_bytes + 1)
    except OSError as error:
        raise ImageError(f"Cannot read {clean(name)}: {problem_text(error)}.") from error
    if len(data) > limit_bytes:
        raise ImageError(f"{clean(name)} is too big (over {limit_bytes} bytes).")
    return data


class FolderTree:
    """A folder. Links are followed only to places inside it.

    ``temporary`` is removed from the disk on ``close``.
    """

    def __init__(
        self, folder: Path, *, temporary: "tempfile.TemporaryDirectory[str] | None" = None
    ) -> None:
        self._folder = folder
        self._temporary = temporary

    def size_bytes(self, name: str) -> int | None:
        """The file's size, or None when it is not there."""
        handle = self._handle(name)
        if handle is None:
            return None
        try:
            return os.fstat(handle).st_size
        finally:
            os.close(handle)

    def names(self, folder: str) -> Iterable[str]:
        """The names of what lies directly in ``folder``."""
        try:
            parts = self._inside(folder) if folder else ()
            return [path.name for path in self._folder.joinpath(*parts).iterdir()]
        except (FileNotFoundError, NotADirectoryError):
            return ()
        except OSError as error:
            raise ImageError(f"Cannot read {clean(folder)}: {problem_text(error)}.") from error

    def open(self, name: str) -> BinaryIO:
        """A raw stream of the file."""
        handle = self._handle(name)
        if handle is None:
            raise missing(name)
        return cast("BinaryIO", os.fdopen(handle, "rb", buffering=0))

    def close(self) -> None:
        """Remove the folder if it was only a temporary one."""
        if self._temporary is not None:
            self._temporary.cleanup()

    def _handle(self, name: str) -> int | None:
        """An open file, None when absent; ``ImageError`` when it may not be read."""
        try:
            handle = _open_beneath(self._folder, self._inside(name))
        except (FileNotFoundError, NotADirectoryError):
            return None
        except OSError as error:
            raise ImageError(f"Cannot read {clean(name)}: {problem_text(error)}.") from error
        if not stat.S_ISREG(os.fstat(handle).st_mode):
            os.close(handle)
            raise ImageError(f"{clean(name)} is not a regular file.")
        return handle

    def _inside(self, name: str) -> tuple[str, ...]:
        """The parts of the name once its links are followed."""
        try:
            root = self._folder.resolve()
            parts = (root / name).resolve().relative_to(root).parts
        except (ValueError, RuntimeError) as error:  # outside, a NUL; a loop of links
            raise outside(name) from error
        if not parts:
            raise outside(name)
        return parts


def _open_beneath(folder: Path, parts: tuple[str, ...]) -> int:
    """Open without following links: what was resolved may have been exchanged since."""
    place = os.open(folder, os.O_RDONLY | os.O_DIRECTORY)
    try:
        for part in parts[:-1]:
            inner = os.open(part, os.O_RDONLY | os.O_DIRECTORY | os.O_NOFOLLOW, dir_fd=place)
            os.close(place)
            place = inner
        # without O_NONBLOCK a named pipe would stop us for ever
        return os.open(parts[-1], os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK, dir_fd=place)
    finally:
        os.close(place)


def missing(name: str) -> ImageError:
    """The error for a file that should be there."""
    return ImageError(
        f"{clean(name)} is missing in the image.",
        hint="The image is incomplete; get it again.",
    )


def outside(name: str) -> ImageError:
    """The error for a name that leaves the image."""
    return ImageError(
        f"{clean(name)!r} leads outside the image, so it is not read.",
        hint="Do not trust this image: it was made to read other files.",
    )
