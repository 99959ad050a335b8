"""Reading an image's configuration blob.

Source: OCI image-spec v1.1, config.md; Docker's configuration has the same members.
"""

from typing import Any

from kataui.errors import ImageError
from kataui.files import clean, parse_json_object
from kataui.images.model import Config, Digest, HistoryLine, Platform, text_map

MAX_LAYERS = 1000
_MAX_HISTORY = 10_000
_WHAT = "configuration of the image"


def parse_config(raw: bytes) -> Config:
    """The configuration in ``raw``; absent members are empty, texts stay as they are.

    Raises ``KatauiError`` when it is no JSON object or a member has the wrong type.
    """
    value = parse_json_object(raw, what=_WHAT)
    runs = _object(value.get("config"), "config")
    return Config(
        raw=raw,
        platform=Platform(
            clean(_text(value.get("os"), "os"), limit=40),
            clean(_text(value.get("architecture"), "architecture"), limit=40),
            clean(_text(value.get("variant"), "variant"), limit=40),
        ),
        created=_text(value.get("created"), "created"),
        diff_ids=_diff_ids(value.get("rootfs")),
        history=_history(value.get("history")),
        environment=_texts(runs.get("Env"), "Env"),
        entrypoint=_texts(runs.get("Entrypoint"), "Entrypoint"),
        command=_texts(runs.get("Cmd"), "Cmd"),
        user=_text(runs.get("User"), "User"),
        working_dir=_text(runs.get("WorkingDir"), "WorkingDir"),
        labels=text_map(runs.get("Labels"), what="labels of the image"),
    )


def layer_commands(config: Config, count: int) -> tuple[str, ...]:
    """The history line of each of ``count`` layers; all empty when the numbers differ.

    Nobody checks ``history`` when an image is built, and squashed images have none.
    """
    lines = [line.created_by or line.comment for line in config.history if not line.empty_layer]
    return tuple(lines) if len(lines) == count else ("",) * count


def _diff_ids(value: object) -> tuple[Digest, ...]:
    rootfs = _object(value, "rootfs")
    if rootfs.get("type", "layers") != "layers":
        raise ImageError(f"The {_WHAT} has a root file system that is not made of layers.")
    ids = rootfs.get("diff_ids")
    if ids is None:
        return ()
    if not isinstance(ids, list) or len(ids) > MAX_LAYERS:
        raise ImageError(f"The {_WHAT} has no believable list of diff_ids.")
    return tuple(Digest.parse(item, what="diff_id") for item in ids)


def _history(value: object) -> tuple[HistoryLine, ...]:
    if value is None:
        return ()
    if not isinstance(value, list) or len(value) > _MAX_HISTORY:
        raise ImageError(f"The {_WHAT} has no believable history.")
    return tuple(_history_line(_object(item, "history")) for item in value)


def _history_line(item: dict[str, Any]) -> HistoryLine:
    return HistoryLine(
        _text(item.get("created_by"), "created_by"),
        _text(item.get("comment"), "comment"),
        item.get("empty_layer") is True,
    )


def _object(value: object, name: str) -> dict[str, Any]:
    if value is None:
        return {}
    if not isinstance(value, dict):
        raise ImageError(f"The {name} in the {_WHAT} is not an object.")
    return value


def _text(value: object, name: str) -> str:
    if value is None:
        return ""
    if not isinstance(value, str):
        raise ImageError(f"The {name} in the {_WHAT} is not a text.")
    return value


def _texts(value: object, name: str) -> tuple[str, ...]:
    if value is None:
        return ()
    if isinstance(value, str):  # Docker once allowed one text for Cmd and Entrypoint
        return (value,)
    if not isinstance(value, list) or not all(isinstance(item, str) for item in value):
        raise ImageError(f"The {name} in the {_WHAT} is not a list of texts.")
    return tuple(value)
