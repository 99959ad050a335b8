"""The images that are at hand: a folder of layouts and archives, and which of them a pod means."""

from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from pathlib import Path

from kataui.errors import Cancelled, DestinationProblem, KatauiError
from kataui.files import clean, problem_text
from kataui.findings import Finding, Severity
from kataui.images.choose import CONTAINERD_NAME
from kataui.images.model import REF_NAME
from kataui.images.open import open_source, tags_in
from kataui.pods.model import Container, repository_of, tag_of
from kataui.progress import Control

_FOR_FILE_NAMES = str.maketrans("/:@", "___")


@dataclass(frozen=True, slots=True)
class Stored:
    """One image: ``reference`` opens it; ``digests`` are its root's and its platforms'."""

    reference: str
    file_name: str
    digest: str
    digests: frozenset[str]
    names: frozenset[str]


@dataclass(frozen=True, slots=True)
class Shelf:
    """What a folder holds; ``findings`` tell what in it is no image that can be read."""

    images: tuple[Stored, ...] = ()
    findings: tuple[Finding, ...] = field(default=())

    def find(self, container: Container) -> list[Stored]:
        """The images that a container may mean, by the closest way in which any fits.

        By the pinned digest, then by ``ref.name`` or ``RepoTags``, then by the file's name with
        ``/``, ``:`` and ``@`` as ``_`` (design, section 4).
        """
        ways: tuple[Callable[[Stored], bool], ...] = (
            lambda one: bool(container.digest) and container.digest in one.digests,
            lambda one: full_name(container.image) in one.names,
            lambda one: one.file_name in _file_names(container.image),
        )
        for fits in ways:
            found = {one.digest: one for one in self.images if fits(one)}
            if found:
                return list(found.values())
        return []


def open_shelf(folder: Path, control: Control) -> Shelf:
    """Every layout and archive directly in a folder. Raises ``KatauiError`` without the folder."""
    try:
        paths = sorted(path for path in folder.iterdir() if not path.name.startswith("."))
    except OSError as error:
        raise DestinationProblem(
            f"{clean(str(folder))} cannot be read: {problem_text(error)}."
        ) from error
    images, findings = [], []
    for path in paths:
        try:
            images += list(stored_in(path, control))
        except Cancelled:
            raise
        except KatauiError as error:
            if not _looks_like_image(path):
                continue
            message = f"{clean(path.name)} is no image that can be read: {error.message}"
            findings.append(Finding("POD-FOLDER", Severity.INFO, clean(path.name), message))
    return Shelf(tuple(images), tuple(findings))


def _looks_like_image(path: Path) -> bool:
    """Whether somebody would expect an image there; receipts and keys may lie beside them."""
    if path.is_dir():
        return (path / "index.json").exists() or (path / "manifest.json").exists()
    return path.suffix in {".tar", ".tgz", ".gz", ".oci"}


def stored_in(path: Path, control: Control) -> Iterator[Stored]:
    """The images of one layout or archive, each tag of it. Raises ``KatauiError``."""
    for tag in tags_in(str(path), control=control) or [""]:
        reference = f"{path}:{tag}" if tag else str(path)
        with open_source(reference, control=control) as source:
            annotations = source.root.annotations
            given = (annotations.get(key, "") for key in (REF_NAME, CONTAINERD_NAME))
            yield Stored(
                reference,
                path.stem if path.is_file() else path.name,
                str(source.root.digest),
                frozenset(map(str, (source.root.digest, *(one.digest for one in source.images)))),
                frozenset(full_name(name) for name in given if "/" in name or ":" in name),
            )


def full_name(image: str) -> str:
    """Repository and tag in full, so that ``nginx`` and ``docker.io/library/nginx:latest`` fit."""
    return f"{repository_of(image)}:{tag_of(image)}"


def _file_names(image: str) -> set[str]:
    name = image.partition("@")[0]
    repository = name.removesuffix(f":{tag_of(name)}")
    return {text.translate(_FOR_FILE_NAMES) for text in (image, name, repository) if text}
