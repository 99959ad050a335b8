"""A recording fit to be shown to others: without names, addresses and command lines.

Counters stay as they are, so that every number and verdict is the same. Names of the host,
sandboxes, pods, namespaces and processes become pod-1, process-2 ...; ids and uids become others of
the same shape; IP and MAC addresses become zeros; of command lines the program and the few options
that checks read remain; of the host's files only those without names remain.
"""

import hashlib
import re
import secrets
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from kataui.isolation.collector import stream as wire
from kataui.isolation.recording import Recorder, Recording
from kataui.isolation.store import split
from kataui.isolation.stream import Record

_ADDRESSES = (
    (re.compile(r"\b(?:[0-9a-f]{2}:){5}[0-9a-f]{2}\b", re.IGNORECASE), "00:00:00:00:00:00"),
    (re.compile(r"\b\d{1,3}(?:\.\d{1,3}){3}\b"), "0.0.0.0"),  # noqa: S104 - no address to bind
    (re.compile(r"\b(?:[0-9a-f]{1,4}:){3,7}[0-9a-f]{0,4}\b", re.IGNORECASE), "::"),
)
_KNOWN_PROCESSES = re.compile(
    r"(ksoftirqd|kswapd|kworker|kcompactd|ksmd|khugepaged|irq/|napi/|kubelet|containerd|crio|dockerd"
    r"|systemd|sshd|irqbalance|virtiofsd|qemu-|cloud-hyper|firecracker|containerd-shim)"
)
_KNOWN_LINKS = re.compile(r"(tap\d+_kata|br\d+_kata|eth\d+|ifb\d+|lo|bond\d+|docker0|cni0)$")
_FACTS = re.compile(
    r"/sys/(module|kernel|devices|block|class/net|fs)/|/proc/sys/|/proc/irq/|/proc/\d+/status"
    r"|/proc/(interrupts|buddyinfo|cpuinfo|modules)|/dev/|netlink:|ethtool:"
)
_OPTIONS = (
    *("-smp", "-m", "-machine", "-accel", "-cpu", "-object", "-netdev", "-device", "-drive"),
    *(
        "-blockdev",
        "-numa",
        "-name",
        "--shared-dir",
        "--cache",
        "--thread-pool-size",
        "--api-socket",
    ),
)
_PATH = re.compile(r"(?<![\w.])/(?:[\w.+@-]+/)*[\w.+@-]+")


@dataclass(frozen=True, slots=True)
class Preview:
    """What leaves with a redacted recording: replacements, and the facts that stay out."""

    replaced: tuple[tuple[str, str], ...]
    left_out: tuple[str, ...]
    kept_facts: int
    markers: tuple[str, ...]


@dataclass(slots=True)
class _Names:
    """Which name became which; the same one everywhere."""

    secret: bytes = field(default_factory=lambda: secrets.token_bytes(16), repr=False)
    known: dict[str, str] = field(default_factory=dict)
    counts: dict[str, int] = field(default_factory=dict)

    def plain(self, name: str, kind: str) -> str:
        """pod-1, pod-2 ...; an empty name stays empty."""
        if name and name not in self.known:
            self.counts[kind] = self.counts.get(kind, 0) + 1
            self.known[name] = f"{kind}-{self.counts[kind]}"
        return self.known.get(name, "")

    def hexadecimal(self, name: str) -> str:
        """An id of the same shape: each hex digit another one, dashes and dots stay."""
        if name and name not in self.known:
            digest = hashlib.blake2b(name.encode(), key=self.secret).hexdigest()
            digits = iter(digest * (len(name) // len(digest) + 1))
            self.known[name] = "".join(next(digits) if c.isalnum() else c for c in name)
        return self.known.get(name, "")

    def text(self, text: str) -> str:
        """A text with all known names and all addresses replaced."""
        for name in sorted(self.known, key=len, reverse=True):
            if len(name) >= 3 and name in text:
                text = re.sub(rf"(?<![\w]){re.escape(name)}(?![\w])", self.known[name], text)
        for pattern, blank in _ADDRESSES:
            text = pattern.sub(blank, text)
        return text


class Redactor:
    """Rewrites records. Names are collected as they come; ids appear before they are used."""

    def __init__(self) -> None:
        self._names = _Names()
        self._left_out: set[str] = set()
        self._kept: set[str] = set()
        self._markers: list[str] = []

    def preview(self) -> Preview:
        """What was done so far."""
        return Preview(
            tuple(sorted(self._names.known.items())),
            tuple(sorted(self._left_out)),
            len(self._kept),
            tuple(self._markers),
        )

    def record(self, record: Record) -> Record:
        """One record without names; samples hold none."""
        if record.kind in {wire.SAMPLE, wire.INDEX}:
            return record
        value = record.json()
        if record.kind == wire.HEAD:
            value["host"] = self._names.plain(str(value.get("host", "")), "host")
            value["redacted"] = True
        elif record.kind == wire.KEY:
            for space, rows in value.get("entities", {}).items():
                self._entities(space, rows)
        elif record.kind == wire.ENTITIES:
            for name in ("add", "change"):
                for row in value.get(name, []):
                    self._entities(str(row[0]), [row[1:]], into=row)
        elif record.kind == wire.FACTS:
            value["files"] = self._facts(value.get("files", {}))
        else:
            value = self._strings(value)
            if record.kind == wire.MARKER:
                self._markers.append(str(value.get("name", "")))
        return split(wire.json_record(record.kind, value))[0]

    def _entities(self, space: str, rows: list[Any], into: list[Any] | None = None) -> None:
        for row in rows:
            self._learn(space, row[-1])
        for row in rows:
            row[-1] = self._rewrite(space, row[-1])
            if into is not None:
                into[-1] = row[-1]

    def _learn(self, space: str, given: dict[str, Any]) -> None:
        names = self._names
        if space == "sandbox":
            names.hexadecimal(str(given.get("id", "")))
            pod = given.get("pod") or {}
            names.plain(str(pod.get("name", "")), "pod")
            names.plain(str(pod.get("namespace", "")), "namespace")
            uid = str(pod.get("uid", ""))
            names.hexadecimal(uid)
            if uid:
                names.known[uid.replace("-", "_")] = names.known[uid].replace("-", "_")
        elif space in {"thread", "process"} and not given.get("sandbox"):
            name = str(given.get("actor") or given.get("comm") or "")
            if not _KNOWN_PROCESSES.match(name):
                names.plain(name, "process")
        elif space == "nic" and not _KNOWN_LINKS.match(str(given.get("name", ""))):
            names.plain(str(given.get("name", "")), "link")

    def _rewrite(self, space: str, given: dict[str, Any]) -> dict[str, Any]:
        if isinstance(given.get("argv"), list):
            given["argv"] = [_PATH.sub(_short, a) for a in _options(given["argv"])]
        rewritten = self._strings(given)
        if space == "thread" and not given.get("sandbox") and given.get("actor"):
            rewritten["name"] = rewritten["actor"]
        return dict(rewritten)

    def _facts(self, files: dict[str, Any]) -> dict[str, Any]:
        kept = {}
        for path, text in files.items():
            if _FACTS.match(path):
                self._kept.add(path)
                kept[self._names.text(path)] = None if text is None else self._names.text(text)
            else:
                self._left_out.add(path)
        return kept

    def _strings(self, value: Any) -> Any:
        if isinstance(value, str):
            return self._names.text(value)
        if isinstance(value, list):
            return [self._strings(item) for item in value]
        if isinstance(value, dict):
            return {key: self._strings(item) for key, item in value.items()}
        return value


def _options(argv: list[Any]) -> Iterator[str]:
    """The program, and the options that checks read with their values."""
    words = [str(word) for word in argv]
    yield from words[:1]
    wanted = False
    for word in words[1:]:
        if word.partition("=")[0] in _OPTIONS:
            yield word
            wanted = "=" not in word
        elif wanted:
            yield word
            wanted = False


def _short(match: re.Match[str]) -> str:
    """A path's known Kata part, else nothing but a slash."""
    path = match.group(0)
    return path if path.startswith(("/run/vc/", "/run/kata", "/dev/")) else "/..."


def redact(source: Path, target: Path | None, *, force: bool = False) -> Preview:
    """Write a redacted copy; without a target only tell what it would be.

    Raises ``RecordingProblem`` and ``DestinationProblem``.
    """
    recording = Recording(source)
    redactor = Redactor()
    recorder = Recorder(target, force=force) if target is not None else None
    try:
        for record in recording.everything():
            rewritten = redactor.record(record)
            if recorder is not None:
                recorder.write(rewritten)
    finally:
        recording.close()
        if recorder is not None:
            recorder.close()
    return redactor.preview()
