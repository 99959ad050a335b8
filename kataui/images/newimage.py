"""A new image's configuration and manifest, collected while its layers are written.

Source: OCI image-spec v1.1, config.md, manifest.md, annotations.md.
"""

import datetime as dt
import json
from pathlib import Path
from typing import Any

from kataui.errors import ImageError
from kataui.files import clean, compact_json, parse_json_object
from kataui.images.buildanswers import BuildAnswers
from kataui.images.buildtree import NewLayer
from kataui.images.layerwriter import LayerWriter
from kataui.images.model import OCI_CONFIG, OCI_MANIFEST, REF_NAME, Descriptor, Image, Platform
from kataui.images.reference import CONTAINERS_STORAGE, DOCKER
from kataui.images.source import Source
from kataui.images.writer import LayoutWriter
from kataui.progress import Control

BASE_DIGEST = "org.opencontainers.image.base.digest"
BASE_NAME = "org.opencontainers.image.base.name"
MAKER = "kataui image build"
# Docker's members that tell of the container in which the base was made, not of this image
_OF_THE_BASE = frozenset({"container", "container_config", "docker_version", "id", "parent"})


class NewImage:
    """Collects layers, history and settings in a layout; ``write`` completes it.

    ``annotations`` are those of the manifest.
    """

    def __init__(self, layout: LayoutWriter, *, moment_s: int) -> None:
        moment = dt.datetime.fromtimestamp(moment_s, dt.UTC)
        self._layout = layout
        self._created = moment.strftime("%Y-%m-%dT%H:%M:%SZ")
        self._config: dict[str, Any] = {}
        self.annotations: dict[str, str] = {}
        self._layers: list[Descriptor] = []
        self._diff_ids: list[str] = []
        self._history: list[dict[str, Any]] = []

    @property
    def layer_count(self) -> int:
        """How many layers there are by now."""
        return len(self._layers)

    def begin(self, wanted: Platform) -> None:
        """Start from nothing."""
        self._config = {"os": wanted.os, "architecture": wanted.architecture}
        if wanted.variant:
            self._config["variant"] = wanted.variant

    def begin_with(self, base: Source, image: Image, control: Control) -> None:
        """Start with the layers of ``image``, each checked against its digest, and its answers."""
        if any(layer.encrypted for layer in image.layers):
            raise ImageError(
                "The base is encrypted.", hint="Decrypt it first: kataui image decrypt."
            )
        config = parse_json_object(image.config.raw, what="configuration of the base")
        self._config = {key: value for key, value in config.items() if key not in _OF_THE_BASE}
        writer = LayerWriter(base, self._layout, control, "Copying")
        self._layers = [writer.once(layer, "copy", writer.copy) for layer in image.layers]
        self._diff_ids = [str(layer.diff_id) for layer in image.layers]
        self._history = list(config.get("history") or [])
        told = sum(1 for line in image.config.history if not line.empty_layer)
        if told != len(image.layers):  # else the lines of our layers would name others
            line = {"created": self._created, "created_by": "a layer of the base"}
            self._history = [line] * len(image.layers)

    def add_layer(self, layer: NewLayer, created_by: str) -> None:
        """Add a layer that was written, with its line of history."""
        self._layers.append(layer.descriptor)
        self._diff_ids.append(str(layer.diff_id))
        self._note(created_by)

    def _note(self, created_by: str, **more: Any) -> None:
        line = {"created": self._created, "created_by": created_by, "comment": MAKER}
        self._history.append({**line, **more})

    def set(self, answers: BuildAnswers) -> None:
        """Change what the image runs; each change is a line of history without a layer.

        The lines are those of a Containerfile, without the values of variables and labels.
        """
        old = self._config.get("config")
        runs: dict[str, Any] = dict(old) if isinstance(old, dict) else {}
        lines = [f"ENV {text.partition('=')[0]}" for text in answers.env]
        if answers.env:
            runs["Env"] = _merged(runs.get("Env"), answers.env)
        if answers.labels:
            runs["Labels"] = {**(runs.get("Labels") or {}), **dict(answers.labels)}
            lines += [f"LABEL {name}" for name, _ in answers.labels]
        for key, verb, value in (
            ("User", "USER", answers.user),
            ("WorkingDir", "WORKDIR", answers.working_dir),
        ):
            if value:
                runs[key] = value
                lines.append(f"{verb} {value}")
        if answers.entrypoint is not None:
            runs.pop("Cmd", None)  # it was made for another program
        for key, words in (("Entrypoint", answers.entrypoint), ("Cmd", answers.command)):
            if words is not None:
                runs[key] = list(words)
                lines.append(f"{key.upper()} {json.dumps(words, ensure_ascii=False)}")
        for line in lines:
            self._note(line, empty_layer=True)
        self._config["config"] = runs

    def write(self, tag: str) -> Descriptor:
        """Write configuration, manifest and ``index.json``; gives the manifest's entry."""
        config = {
            **self._config,
            "created": self._created,
            "rootfs": {"type": "layers", "diff_ids": self._diff_ids},
            "history": self._history,
        }
        manifest: dict[str, Any] = {
            "schemaVersion": 2,
            "mediaType": OCI_MANIFEST,
            "config": self._layout.add(compact_json(config), OCI_CONFIG).as_json(),
            "layers": [layer.as_json() for layer in self._layers],
        }
        if self.annotations:
            manifest["annotations"] = self.annotations
        written = self._layout.add(compact_json(manifest), OCI_MANIFEST)
        entry = Descriptor(written.media_type, written.digest, written.size_bytes, {REF_NAME: tag})
        self._layout.write_index([entry])
        return entry


def _merged(old: Any, new: tuple[str, ...]) -> list[str]:
    """The variables of ``old`` that ``new`` does not name, then those of ``new``."""
    ours = {text.partition("=")[0]: text for text in new}  # the last one of a name wins
    kept = [text for text in old or [] if text.partition("=")[0] not in ours]
    return [*kept, *ours.values()]


def named_base(base: Source, image: Image) -> dict[str, str]:
    """The annotations that say which image the new one is built upon."""
    return {BASE_DIGEST: str(image.digest), BASE_NAME: _base_name(base)}


def inherited_base(image: Image) -> dict[str, str]:
    """The annotations of ``image`` that say what that is built upon; buildah leaves them empty."""
    told = image.annotations
    return {key: told[key] for key in (BASE_DIGEST, BASE_NAME) if told.get(key)}


def _base_name(base: Source) -> str:
    """What others may know of the base's place: of a path on this machine only its last part."""
    for prefix in (f"{DOCKER}://", f"{CONTAINERS_STORAGE}:"):
        if base.reference.startswith(prefix):
            return clean(base.reference.removeprefix(prefix))
    name = Path(base.path).resolve().name
    return clean(f"{name}:{base.tag}" if base.tag else name)
