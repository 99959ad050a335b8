"""Building an image from folders, files, a tar or a base, without a daemon and without root.

Source: OCI image-spec v1.1, config.md; https://reproducible-builds.org/specs/source-date-epoch/
"""

import datetime as dt
import os
import platform
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from pathlib import Path, PurePosixPath
from typing import Any

from kataui.errors import ImageError, KatauiError
from kataui.files import clean, compact_json, parse_json_object
from kataui.findings import Problem
from kataui.images.containerfile import build_containerfile
from kataui.images.layerwriter import LayerWriter
from kataui.images.model import (
    OCI_CONFIG,
    OCI_MANIFEST,
    REF_NAME,
    Descriptor,
    Digest,
    Image,
)
from kataui.images.open import open_source
from kataui.images.source import Source
from kataui.images.tarlayer import (
    MadeLayer,
    Tree,
    add_tree,
    add_whiteouts,
    copy_tar,
    parse_owner,
    write_layer,
)
from kataui.images.transform import DEFAULT_TAG
from kataui.images.writer import Destination, LayoutWriter, destination
from kataui.progress import Control

EPOCH_VARIABLE = "SOURCE_DATE_EPOCH"
_MACHINES = {"x86_64": "amd64", "aarch64": "arm64", "ppc64le": "ppc64le", "s390x": "s390x"}


@dataclass(frozen=True, slots=True)
class Addition:
    """A folder or file to put at ``target``; ``owner`` "uid:gid", or empty to keep."""

    source: str
    target: str
    owner: str = ""


@dataclass(frozen=True, slots=True)
class BuildAnswers:
    """What to build. Empty or ``None`` means "as the base has it"."""

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


@dataclass(frozen=True, slots=True)
class Built:
    """The new image; ``left_out`` names sockets and the like, which no image can hold."""

    path: Path
    tag: str
    digest: Digest
    layers: int
    left_out: tuple[str, ...] = field(default=())


def problems(answers: BuildAnswers) -> tuple[Problem, ...]:
    """What is wrong with the answers; nothing is written."""
    return tuple(_problems(answers))


def _problems(answers: BuildAnswers) -> Iterator[Problem]:
    if not answers.destination:
        yield Problem("destination", "Name where the image is to be written.")
    if answers.containerfile:
        if answers.base or answers.rootfs or answers.add or answers.remove:
            yield Problem("containerfile", "A Containerfile says itself what goes in.")
        return
    if not (answers.base or answers.rootfs or answers.add):
        yield Problem("source", "Name a root file system, a base image or something to add.")
    if answers.base and answers.rootfs:
        yield Problem("rootfs", "A base image has its root file system already.")
    for addition in answers.add:
        if not Path(addition.source).exists():
            yield Problem("add", f"There is no {clean(addition.source)}.")
    for name in (*(a.target for a in answers.add), *answers.remove):
        if not name.startswith("/") or ".." in PurePosixPath(name).parts:
            yield Problem("add", f"{clean(name)!r} is no absolute path in the image.")
    for text in answers.env:
        if "=" not in text or text.startswith("="):
            yield Problem("env", f"{clean(text, limit=60)!r} is not NAME=VALUE.")
    for owner in (a.owner for a in answers.add if a.owner):
        try:
            parse_owner(owner)
        except ImageError as error:
            yield Problem("add", error.message)


def build(
    answers: BuildAnswers, control: Control, on_line: Callable[[str], None] | None = None
) -> Built:
    """Build the image; the destination appears whole, or not at all.

    With SOURCE_DATE_EPOCH set, the same inputs give the same digest. ``on_line`` gets what
    buildah says (Containerfile only). Raises ``KatauiError``.
    """
    wrong = problems(answers)
    if wrong:
        raise KatauiError(wrong[0].text, hint="See kataui image build --help.")
    if answers.containerfile:
        return _from_containerfile(answers, control, on_line)
    with destination(answers.destination, force=answers.force) as place:
        if answers.base:
            with open_source(answers.base, platform=answers.platform, control=control) as base:
                built = _build_on(answers, base, place, control)
        else:
            built = _build_on(answers, None, place, control)
        place.pack(control)
        place.commit()
    return built


def _from_containerfile(
    answers: BuildAnswers, control: Control, on_line: Callable[[str], None] | None
) -> Built:
    """Buildah builds into a scratch layout, which is then copied as any other source."""
    with destination(answers.destination, force=answers.force) as place:
        tag = place.reference.tag or DEFAULT_TAG
        context = answers.context or str(Path(answers.containerfile).resolve().parent)
        with (
            build_containerfile(
                Path(answers.containerfile), Path(context), tag, control=control, on_line=on_line
            ) as layout,
            open_source(f"oci:{layout}:{tag}", control=control) as base,
        ):
            built = _build_on(answers, base, place, control)
        place.pack(control)
        place.commit()
    return built


def _epoch_s() -> int | None:
    text = os.environ.get(EPOCH_VARIABLE, "")
    if not text:
        return None
    if not text.isdecimal():
        raise KatauiError(f"{EPOCH_VARIABLE} must be a number of seconds.")
    return int(text)


class _Builder:
    """Collects layers, diff_ids and history while they are written."""

    def __init__(self, layout: LayoutWriter, created: str) -> None:
        self.layout = layout
        self.created = created
        self.layers: list[Descriptor] = []
        self.diff_ids: list[str] = []
        self.history: list[dict[str, Any]] = []
        self.left_out: tuple[str, ...] = ()

    def note(self, text: str, made: MadeLayer | None) -> None:
        """Add a line of history, with its layer unless it changed settings only."""
        line: dict[str, Any] = {"created": self.created, "created_by": text}
        if made is None:
            line["empty_layer"] = True
        else:
            self.layers.append(made.descriptor)
            self.diff_ids.append(str(made.diff_id))
            self.left_out += made.left_out
        self.history.append(line)


def _build_on(
    answers: BuildAnswers, base: Source | None, place: Destination, control: Control
) -> Built:
    epoch = _epoch_s()
    moment = epoch if epoch is not None else int(time.time())
    created = dt.datetime.fromtimestamp(moment, dt.UTC).strftime("%Y-%m-%dT%H:%M:%SZ")
    builder = _Builder(place.layout, created)
    config: dict[str, Any] = {}
    annotations: dict[str, str] = {}
    if base is not None:
        image = _only(base)
        config = parse_json_object(image.config.raw, what="configuration of the base")
        _copy_base(builder, base, image, config, control)
        if answers.base:
            annotations["org.opencontainers.image.base.digest"] = str(image.digest)
            annotations["org.opencontainers.image.base.name"] = base.reference
    _add_layers(answers, builder, epoch, moment, control)
    _settings(answers, builder, config)
    config.setdefault("os", "linux")
    config.setdefault("architecture", _architecture(answers.platform))
    config["created"] = created
    config["rootfs"] = {"type": "layers", "diff_ids": builder.diff_ids}
    config["history"] = builder.history
    return _write(builder, config, annotations, place)


def _only(base: Source) -> Image:
    if len(base.images) != 1:
        names = ", ".join(str(image.config.platform) for image in base.images)
        raise ImageError(
            f"The base is for several platforms: {clean(names)}.", hint="Choose one: --platform"
        )
    return base.images[0]


def _architecture(wanted: str) -> str:
    parts = wanted.split("/")
    machine = platform.machine()
    return parts[1] if len(parts) > 1 else _MACHINES.get(machine, machine)


def _copy_base(
    builder: _Builder, base: Source, image: Image, config: dict[str, Any], control: Control
) -> None:
    if any(layer.encrypted for layer in image.layers):
        raise ImageError("The base is encrypted.", hint="Decrypt it first: kataui image decrypt")
    writer = LayerWriter(base, builder.layout, control, "Copying")
    for layer in image.layers:
        builder.layers.append(writer.once(layer, "copy", writer.copy))
        builder.diff_ids.append(str(layer.diff_id))
    history = config.get("history")
    builder.history = list(history) if isinstance(history, list) else []


def _add_layers(
    answers: BuildAnswers, builder: _Builder, epoch: int | None, moment: int, control: Control
) -> None:
    if answers.rootfs:
        path = Path(answers.rootfs)
        if path.is_dir():
            made = _tree_layer(builder, Tree(path, PurePosixPath("/"), "", epoch), control)
        else:
            made = copy_tar(builder.layout, path, control)
        builder.note(f"kataui image build: root file system {clean(path.name)}", made)
    for item in answers.add:
        source = Path(item.source)
        tree = Tree(source, PurePosixPath(item.target), item.owner, epoch)
        made = _tree_layer(builder, tree, control)
        builder.note(f"kataui image build: {clean(source.name)} to {clean(item.target)}", made)
    if answers.remove:

        def fill(tar: Any) -> tuple[str, ...]:
            add_whiteouts(tar, answers.remove, moment)
            return ()

        made = write_layer(builder.layout, fill, control)
        builder.note(f"kataui image build: remove {clean(' '.join(answers.remove))}", made)


def _tree_layer(builder: _Builder, tree: Tree, control: Control) -> MadeLayer:
    return write_layer(builder.layout, lambda tar: add_tree(tar, tree), control)


def _settings(answers: BuildAnswers, builder: _Builder, config: dict[str, Any]) -> None:
    """What the image runs; each change is a line of history without a layer."""
    inner = config.get("config")
    settings = inner if isinstance(inner, dict) else {}
    changes: dict[str, Any] = {}
    if answers.entrypoint is not None:
        changes["Entrypoint"] = list(answers.entrypoint)
        changes["Cmd"] = []
    if answers.command is not None:
        changes["Cmd"] = list(answers.command)
    if answers.env:
        changes["Env"] = _merge_env(settings.get("Env"), answers.env)
    if answers.user:
        changes["User"] = answers.user
    if answers.working_dir:
        changes["WorkingDir"] = answers.working_dir
    if answers.labels:
        labels = settings.get("Labels")
        changes["Labels"] = {**(labels if isinstance(labels, dict) else {}), **dict(answers.labels)}
    if changes:
        builder.note(f"kataui image build: set {', '.join(sorted(changes))}", None)
    config["config"] = {**settings, **changes}


def _merge_env(old: Any, new: tuple[str, ...]) -> list[str]:
    names = {text.partition("=")[0] for text in new}
    kept = [text for text in (old or []) if text.partition("=")[0] not in names]
    return [*kept, *new]


def _write(
    builder: _Builder, config: dict[str, Any], annotations: dict[str, str], place: Destination
) -> Built:
    layout = builder.layout
    manifest: dict[str, Any] = {
        "schemaVersion": 2,
        "mediaType": OCI_MANIFEST,
        "config": layout.add(compact_json(config), OCI_CONFIG).as_json(),
        "layers": [layer.as_json() for layer in builder.layers],
    }
    if annotations:
        manifest["annotations"] = annotations
    written = layout.add(compact_json(manifest), OCI_MANIFEST)
    tag = place.reference.tag or DEFAULT_TAG
    entry = Descriptor(written.media_type, written.digest, written.size_bytes, {REF_NAME: tag})
    layout.write_index([entry])
    return Built(place.target, tag, written.digest, len(builder.layers), builder.left_out)
