"""Building an image from folders, files, a tar or a base, without a daemon and without root.

Source: OCI image-spec v1.1, config.md; https://reproducible-builds.org/specs/source-date-epoch/
"""

import contextlib
import os
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path, PurePosixPath

from kataui.errors import ImageError, KatauiError
from kataui.files import clean
from kataui.findings import Finding, Severity
from kataui.images.buildanswers import Addition, BuildAnswers, errors_of, problems, wanted_platform
from kataui.images.buildtar import copy_tar
from kataui.images.buildtree import WHITEOUT, Notes, Tree, add_tree, add_whiteouts, new_layer
from kataui.images.containerfile import build_containerfile
from kataui.images.model import Digest, Image, Platform
from kataui.images.newimage import NewImage, inherited_base, named_base
from kataui.images.open import open_source
from kataui.images.platforms import is_wanted
from kataui.images.reference import parse_destination
from kataui.images.source import Source
from kataui.images.transform import DEFAULT_TAG
from kataui.images.writer import LayoutWriter, destination
from kataui.progress import Control

__all__ = ["Addition", "BuildAnswers", "Built", "build", "problems"]

EPOCH_VARIABLE = "SOURCE_DATE_EPOCH"
_LAST_MOMENT_S = 253_402_300_799  # the end of the year 9999: RFC 3339 has four digits
_SHOWN_NAMES = 3


@dataclass(frozen=True, slots=True)
class Built:
    """The new image; ``left_out`` names sockets and the like, which no image can hold."""

    path: Path
    tag: str
    digest: Digest
    layers: int
    left_out: tuple[str, ...] = ()
    findings: tuple[Finding, ...] = ()


def build(
    answers: BuildAnswers, control: Control, on_line: Callable[[str], None] | None = None
) -> Built:
    """Build the image; the destination appears whole, or not at all.

    With SOURCE_DATE_EPOCH set, the same inputs give the same digest: no time is later than it (a
    tar's own times are kept). ``on_line`` gets what buildah says; only
    buildah uses the network, when ``FROM`` names what it must fetch. Raises ``KatauiError``.
    """
    for _, error in errors_of(answers):
        raise error
    epoch_s = _epoch_s()
    reference = parse_destination(answers.destination)
    tag = reference.tag or DEFAULT_TAG
    with (
        _begun(answers, epoch_s, control, on_line) as base,  # before anything lies in the context
        destination(answers.destination, force=answers.force, source=base) as place,
    ):
        moment_s = int(time.time()) if epoch_s is None else epoch_s
        image = NewImage(place.layout, moment_s=moment_s)
        _begin(answers, image, base, control)
        notes = list(_add_layers(answers, _Work(place.layout, image, epoch_s, moment_s, control)))
        image.set(answers)
        entry = image.write(tag)
        place.pack(control)
        control.check()
        place.commit()
    left_out = tuple(name for note in notes for name in note.left_out)
    devices = tuple(name for note in notes for name in note.devices)
    findings = (*_told_left_out(left_out), *_told_devices(devices))
    return Built(place.target, tag, entry.digest, image.layer_count, left_out, findings)


def _epoch_s() -> int | None:
    text = os.environ.get(EPOCH_VARIABLE, "")
    if not text:
        return None
    if not (text.isascii() and text.isdecimal()) or int(text[:20]) > _LAST_MOMENT_S:
        raise KatauiError(
            f"{EPOCH_VARIABLE} is {clean(text, limit=40)!r}, not a number of seconds since 1970.",
            hint="For example: git log -1 --format=%ct",
        )
    return int(text)


@contextlib.contextmanager
def _begun(
    answers: BuildAnswers,
    epoch_s: int | None,
    control: Control,
    on_line: Callable[[str], None] | None,
) -> Iterator[Source | None]:
    """What the image begins with: a base, what buildah made of a Containerfile, or nothing."""
    with contextlib.ExitStack() as stack:
        if answers.containerfile:
            layout = stack.enter_context(
                build_containerfile(
                    Path(answers.containerfile),
                    answers.context_folder,
                    platform=answers.platform,
                    epoch_s=epoch_s,
                    control=control,
                    on_line=on_line,
                )
            )
            yield stack.enter_context(open_source(f"oci:{layout}", control=control))
        elif answers.base:
            opened = open_source(answers.base, platform=answers.platform, control=control)
            yield stack.enter_context(opened)
        else:
            yield None


def _begin(answers: BuildAnswers, image: NewImage, base: Source | None, control: Control) -> None:
    wanted = wanted_platform(answers.platform)
    if base is None:
        image.begin(wanted)
        return
    chosen = _only(base, wanted)
    image.begin_with(base, chosen, control)
    image.annotations = named_base(base, chosen) if answers.base else inherited_base(chosen)


def _only(base: Source, wanted: Platform) -> Image:
    """The base's only image, or that for ``wanted``."""
    if len(base.images) == 1:
        return base.images[0]
    platforms = [image.descriptor.platform or image.config.platform for image in base.images]
    fitting = [
        image
        for image, platform in zip(base.images, platforms, strict=True)
        if is_wanted(platform, (wanted,))
    ]
    if len(fitting) != 1:
        names = ", ".join(map(str, platforms))
        raise ImageError(
            f"The base is for several platforms: {clean(names)}.", hint="Choose one: --platform."
        )
    return fitting[0]


@dataclass(frozen=True, slots=True)
class _Work:
    """Where layers go, and the times that they get."""

    layout: LayoutWriter
    image: NewImage
    epoch_s: int | None
    moment_s: int
    control: Control

    def tree(self, tree: Tree, created_by: str) -> Notes:
        """Add the layer of a folder or file."""
        step = f"Adding {clean(tree.source.name, limit=60)}"
        size = tree.size_bytes()
        with (
            new_layer(self.layout, self.control, step=step, total_bytes=size) as layer,
            layer.tar() as tar,
        ):
            notes = add_tree(tar, tree)
        self.image.add_layer(layer, created_by)
        return notes

    def tar(self, path: Path, created_by: str) -> Notes:
        """Add a tar as a layer."""
        step = f"Adding {clean(path.name, limit=60)}"
        with new_layer(self.layout, self.control, step=step) as layer:
            notes = copy_tar(layer, path)
        self.image.add_layer(layer, created_by)
        return notes

    def whiteouts(self, names: tuple[str, ...]) -> None:
        """Add a layer that hides files."""
        with (
            new_layer(self.layout, self.control, step="Removing files") as layer,
            layer.tar() as tar,
        ):
            add_whiteouts(tar, names, self.moment_s)
        self.image.add_layer(layer, f"RUN rm -r {clean(' '.join(names))}")


def _add_layers(answers: BuildAnswers, work: _Work) -> Iterator[Notes]:
    """The root file system, then what is removed, then what is added: each is a layer."""
    if answers.rootfs:
        path = Path(answers.rootfs)
        line = f"ADD {clean(path.resolve().name) or 'rootfs'} /"
        if path.is_dir():
            yield work.tree(Tree(path, PurePosixPath("/"), latest_s=work.epoch_s), line)
        else:
            yield work.tar(path, line)
    if answers.remove:
        work.whiteouts(answers.remove)
    for item in answers.add:
        source = Path(item.source)
        tree = Tree.of(source, item.target, owner=item.owner, latest_s=work.epoch_s)
        name = clean(source.name or source.resolve().name) or "/"
        yield work.tree(tree, f"COPY {name} {clean(str(tree.target))}")


def _told_left_out(names: tuple[str, ...]) -> Iterator[Finding]:
    if names:
        yield Finding(
            "IMG-BUILD-LEFT-OUT",
            Severity.WARNING,
            "build",
            f"Left out: {_shown(names)}.",
            why=f"No image can hold sockets, or names that begin with {WHITEOUT}.",
        )


def _told_devices(names: tuple[str, ...]) -> Iterator[Finding]:
    if names:
        yield Finding(
            "IMG-BUILD-DEVICE",
            Severity.INFO,
            "build",
            f"Device nodes are in the image: {_shown(names)}.",
            why="Unpacking them needs rights that not everybody has.",
        )


def _shown(names: tuple[str, ...]) -> str:
    more = f" and {len(names) - _SHOWN_NAMES} more" if len(names) > _SHOWN_NAMES else ""
    return ", ".join(names[:_SHOWN_NAMES]) + more
