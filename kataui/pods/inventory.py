"""What the far side has already: the blobs of its image layouts, by their digests.

``{"format": "kataui-inventory", "version": 1, "digests": [{"sha256", "size"} ...]}``, sorted; a
format of ours. It names no image and no path, so it may be shown to whoever packs.
"""

import hashlib
import json
import os
import re
from collections.abc import Iterator, Sequence
from pathlib import Path

from kataui.errors import DestinationProblem, KatauiError
from kataui.files import (
    CHUNK_BYTES,
    clean,
    is_folder,
    parse_json_object,
    problem_text,
    read_bounded,
)
from kataui.progress import Control

FORMAT, VERSION = "kataui-inventory", 1
_MAX_BYTES = 16 << 20
_HEX = re.compile(r"[0-9a-f]{64}", re.ASCII)


def find_blobs(folders: Sequence[Path]) -> dict[str, Path]:
    """The blobs of all layouts in some folders, however deep, by what their names say.

    Links are not followed. Raises ``DestinationProblem`` for what is no folder.
    """
    found: dict[str, Path] = {}
    for folder in folders:
        if not is_folder(folder):
            raise DestinationProblem(f"{clean(str(folder))} is no folder that can be read.")
        for place, names, files in os.walk(folder):
            names.sort()
            if place.endswith("/blobs/sha256"):
                found |= {name: Path(place) / name for name in sorted(files) if _is_blob(name)}
    return found


def _is_blob(name: str) -> bool:
    return _HEX.fullmatch(name) is not None


def make_inventory(folders: Sequence[Path], control: Control) -> bytes:
    """The inventory of some folders. Every blob is read: a damaged one is not there.

    Raises ``KatauiError`` and ``Cancelled``.
    """
    blobs = sorted(find_blobs(folders).items())
    rows = []
    for number, (sha256, path) in enumerate(blobs, 1):
        step = f"Checking blob {number} of {len(blobs)}"
        size_bytes = _whole(path, sha256, control, step)
        if size_bytes is not None:
            rows.append({"sha256": sha256, "size": size_bytes})
    value = {"format": FORMAT, "version": VERSION, "digests": rows}
    return json.dumps(value, indent=1).encode() + b"\n"


def _whole(path: Path, sha256: str, control: Control, step: str) -> int | None:
    """The size of a blob, or None when it is not what its name says."""
    digest, size_bytes = hashlib.sha256(), 0
    try:
        if path.is_symlink() or not path.is_file():
            return None
        with path.open("rb") as stream:
            total_bytes = os.fstat(stream.fileno()).st_size
            for chunk in _chunks(stream.fileno()):
                digest.update(chunk)
                size_bytes += len(chunk)
                control.report(step, size_bytes, total_bytes)
    except OSError as error:
        raise KatauiError(f"Cannot read {clean(str(path))}: {problem_text(error)}.") from error
    return size_bytes if digest.hexdigest() == sha256 else None


def _chunks(handle: int) -> Iterator[bytes]:
    while chunk := os.read(handle, CHUNK_BYTES):
        yield chunk


def read_inventory(path: Path) -> frozenset[str]:
    """The digests in an inventory. Raises ``KatauiError``."""
    name = clean(path.name)
    data = read_bounded(path, limit_bytes=_MAX_BYTES, what="an inventory")
    value = parse_json_object(data, what=name)
    if value.get("format") != FORMAT or value.get("version") != VERSION:
        raise KatauiError(
            f"{name} is no inventory.",
            hint="kataui pod unpack --inventory FILE --from DIR writes one on the far side.",
        )
    rows = value.get("digests")
    if not isinstance(rows, list):
        raise KatauiError(f"{name} is damaged: it lists no digests.")
    texts = [one.get("sha256") if isinstance(one, dict) else None for one in rows]
    found = [text for text in texts if isinstance(text, str) and _is_blob(text)]
    if len(found) != len(rows):
        raise KatauiError(f"{name} is damaged: it lists something else than digests.")
    return frozenset(found)
