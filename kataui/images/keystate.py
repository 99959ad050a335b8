"""Which keys are known on this computer, and whether they were ever restored. No secrets.

``keys.json`` in the user's data folder, mode 0600: ``version`` 1, ``keys``: for each fingerprint
(SHA-256 in hex) its path, kind, algorithm, the backups written (path, when) and when it was last
restored from one. Moments are ISO 8601, UTC.
"""

import contextlib
import datetime as dt
import itertools
import json
import logging
import threading
from collections.abc import Callable, Mapping
from dataclasses import asdict, dataclass, replace
from enum import StrEnum
from pathlib import Path
from typing import Any

import platformdirs

from kataui import files
from kataui.errors import DestinationProblem, KatauiError
from kataui.images.keymaking import KeyInfo

log = logging.getLogger(__name__)
FORMAT_VERSION = 1
_MAX_BYTES = 4 << 20
_MAX_BACKUPS = 20  # of one key; the newest are kept
_changing = threading.Lock()  # the window's jobs change the list, too


class State(StrEnum):
    """How sure it is that a key survives the loss of its file."""

    NONE = "no backup"
    WRITTEN = "written, never restored"
    RESTORED = "restored"


@dataclass(frozen=True, slots=True)
class Written:
    """A backup that was written: where, and when."""

    path: str
    when: str


@dataclass(frozen=True, slots=True)
class Record:
    """What is remembered of one key; ``restored`` is empty when it never was."""

    fingerprint: str
    path: str
    kind: str
    algorithm: str
    backups: tuple[Written, ...] = ()
    restored: str = ""

    @property
    def state(self) -> State:
        """A rehearsal counts, whether or not the backup was written here."""
        if self.restored:
            return State.RESTORED
        return State.WRITTEN if self.backups else State.NONE


def state_file() -> Path:
    """Where they are kept."""
    return platformdirs.user_data_path("kataui", appauthor=False) / "keys.json"


def load() -> tuple[Record, ...]:
    """All known keys, in the order in which they became known.

    A file that cannot be parsed is put aside as ``.bad``, never lost; a bad entry is left out.
    """
    found = [_record(mark, value) for mark, value in _map(_members().get("keys")).items()]
    return tuple(record for record in found if record is not None)


def note_key(info: KeyInfo) -> None:
    """Remember a private key that was made or shown; one without a fingerprint cannot be."""
    _change(info, lambda record: record)


def note_backup(info: KeyInfo, backup: Path, *, when: str = "") -> None:
    """Remember that a backup of the key was written."""
    written = Written(str(backup.absolute()), when or now())

    def add(record: Record) -> Record:
        return replace(record, backups=(*record.backups, written)[-_MAX_BACKUPS:])

    _change(info, add)


def note_restored(info: KeyInfo, *, keep_path: bool, when: str = "") -> None:
    """Remember that the key was restored; ``keep_path`` when its file is gone again: a drill."""

    def mark(record: Record) -> Record:
        return replace(record, restored=when or now())

    _change(info, mark, keep_path=keep_path)


def forget(fingerprint: str) -> None:
    """Forget a key; its files stay. Raises ``DestinationProblem``."""
    with _changing:
        kept = _members()
        keys = _map(kept.get("keys"))
        if keys.pop(fingerprint, None) is not None:
            _write({**kept, "keys": keys})


def now() -> str:
    """The present moment, ISO 8601 in UTC."""
    return dt.datetime.now(dt.UTC).isoformat(timespec="seconds")


def _change(info: KeyInfo, change: Callable[[Record], Record], *, keep_path: bool = False) -> None:
    """Change one key's record; what cannot be written is logged: the act itself is done."""
    if info.fingerprint is None or not info.private:
        return
    with _changing:
        try:
            _write(_changed(info, info.fingerprint.hex, change, keep_path=keep_path))
        except DestinationProblem as error:
            log.warning("keys not remembered: %s", error.message)


def _changed(
    info: KeyInfo, mark: str, change: Callable[[Record], Record], *, keep_path: bool
) -> dict[str, Any]:
    """The whole list with one key's record changed; what else stands in it stays."""
    kept = _members()
    keys = _map(kept.get("keys"))
    old = keys.get(mark)
    known = _record(mark, old)
    path = "" if keep_path else str(info.path.absolute())
    if known is not None and (keep_path or files.is_file(known.path)):
        path = known.path  # a copy of the key does not take its place
    record = replace(known or Record(mark, "", info.kind, info.algorithm), path=path)
    value = asdict(change(record))
    value.pop("fingerprint")
    keys[mark] = {**_map(old), **value}
    return {**kept, "version": FORMAT_VERSION, "keys": keys}


def _members() -> dict[str, Any]:
    """What stands in the file; nothing when there is none, or when it is bad."""
    path = state_file()
    if not path.exists():
        return {}
    try:
        data = files.read_bounded(path, limit_bytes=_MAX_BYTES, what="the list of keys")
        return files.parse_json_object(data, what="list of keys", odd_names=True)
    except KatauiError as error:
        log.warning("keys not read: %s", error.message)
        names = (f"{path.name}.bad{number or ''}" for number in itertools.count())
        with contextlib.suppress(OSError):
            path.rename(next(p for p in map(path.with_name, names) if not p.exists()))
        return {}


def _write(value: Mapping[str, Any]) -> None:
    path = state_file()
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        message = f"Cannot write the list of keys: {files.problem_text(error)}."
        raise DestinationProblem(message) from error
    files.replace_file(path, json.dumps(value, indent=2).encode() + b"\n", mode=0o600)


def _map(value: Any) -> dict[str, Any]:
    """An object of the file; an empty one when it is something else."""
    return value if isinstance(value, dict) else {}


def _record(mark: str, value: Any) -> Record | None:
    """One entry; ``None`` when it is not what it should be."""
    if not isinstance(value, dict):
        return None
    texts = [value.get(name, "") for name in ("path", "kind", "algorithm", "restored")]
    if not all(isinstance(text, str) for text in texts):
        return None
    path, kind, algorithm, restored = texts
    listed = value.get("backups")
    backups = tuple(
        Written(item["path"], item["when"])
        for item in (listed if isinstance(listed, list) else [])
        if all(isinstance(_map(item).get(name), str) for name in ("path", "when"))
    )
    return Record(mark, path, kind, algorithm, backups, restored)
