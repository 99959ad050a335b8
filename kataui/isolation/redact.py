"""A recording fit to be shown to others: without names, addresses and command lines.

Counters stay as they are, so that every number and verdict is the same. Names of the host,
sandboxes, pods, namespaces, control groups, links and processes become pod-1, process-2 ...; ids
and uids become others of the same shape; IP and MAC addresses become zeros; of command lines the
settings that checks read remain (``redactline``); of the host's files only those without names.

The recording is read twice: facts stand before the entities that they name.
"""

import hashlib
import re
import secrets
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from kataui.errors import DestinationProblem
from kataui.files import clean, problem_text, staging
from kataui.isolation import redactline
from kataui.isolation.collector import stream as wire
from kataui.isolation.recording import Recorder, Recording
from kataui.isolation.store import split
from kataui.isolation.stream import Record, StreamDamaged

_ADDRESSES = (
    (re.compile(r"\b(?:[0-9a-f]{2}:){5}[0-9a-f]{2}\b", re.IGNORECASE), "00:00:00:00:00:00"),
    (re.compile(r"\b\d{1,3}(?:\.\d{1,3}){3}\b"), "0.0.0.0"),  # noqa: S104 - no address to bind
    (re.compile(r"\b(?:[0-9a-f]{1,4}:){3,7}[0-9a-f]{0,4}\b", re.IGNORECASE), "::"),
    (re.compile(r"\b(?:[0-9a-f]{1,4}:){1,6}:(?:[0-9a-f]{1,4})?\b", re.IGNORECASE), "::"),
)
_KNOWN_PROCESSES = re.compile(
    r"(ksoftirqd|kswapd|kworker|kcompactd|ksmd|khugepaged|irq/\d+|napi/|migration|rcu_|vhost-"
    r")[\w./:+-]*|(kubelet|containerd|crio|dockerd|systemd|sshd|irqbalance|virtiofsd|cloud-hyper"
    r"visor|firecracker|containerd-shim|qemu-[\w-]*|many small ones)"
)
_KNOWN_LINKS = re.compile(r"tap\d+_kata|br\d+_kata|eth\d+|ifb\d+|lo|bond\d+|docker0|cni0")
_KNOWN_GROUPS = re.compile(
    r"kubepods[\w.-]*|burstable|besteffort|guaranteed|pod[0-9a-f_-]+|kata_[\w.-]*|(cri-containerd|crio|runtime-rs|kata)[\w.-]*"
    r"|(system|user|init|machine|kata-overhead|containerd|init\.scope|unified|vc|kata_overhead)?"
    r"(\.slice|\.scope|\.service)?|cpu|cpuacct|cpuset|memory|blkio|systemd|pids|freezer|devices"
    r"|hugetlb|perf_event|net_cls|net_prio|rdma|misc|cpu,cpuacct|net_cls,net_prio"
)
_HEAD = (
    *("format", "kataui", "rate_hz", "started_us", "cgroups", "descriptors", "captured", "kernel"),
    *("machine", "ticks_per_second", "page_bytes", "cpus", "root", "python", "synthetic", "source"),
    *("missing", "note"),
)
_FACTS = re.compile(
    r"/sys/(module|kernel|devices|block|class/net|fs)/|/proc/sys/|/proc/irq/|/proc/\d+/status"
    r"|/proc/(interrupts|buddyinfo|cpuinfo|modules)|/dev/|netlink:|ethtool:"
)
_NAMING_FACTS = re.compile(r"/sys/block/[^/]+/(dm/name|loop/backing_file)|/sys/fs/resctrl/.*/tasks")
_GROUP_PATH = re.compile(r"/sys/fs/(?:cgroup|resctrl)/(.+)/[^/]+")
_LINK_PATH = re.compile(r"/sys/class/net/([^/]+)/|ethtool:(.+)")
_SHORT = 3  # names below are replaced where they stand alone only
_LONG = 1000  # texts that hardly come again
_ID = 12  # hexadecimal ids from this length on are replaced within words, too


@dataclass(frozen=True, slots=True)
class Preview:
    """What leaves with a redacted recording: replacements, and the facts that stay out.

    ``markers`` keep their words: each is ``name``, or ``name: note``.
    """

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
    _within: list[str] = field(default_factory=list)
    _alone: list[str] = field(default_factory=list)
    _done: dict[str, str] = field(default_factory=dict)

    def plain(self, name: str, kind: str) -> None:
        """pod-1, pod-2 ...; an empty name stays empty."""
        if name and name not in self.known:
            self.counts[kind] = self.counts.get(kind, 0) + 1
            self.known[name] = f"{kind}-{self.counts[kind]}"

    def hexadecimal(self, name: str) -> None:
        """An id of the same shape: each letter or digit a hex digit, dashes and dots stay."""
        if name and name not in self.known:
            digest = hashlib.blake2b(name.encode("utf-8", "replace"), key=self.secret).hexdigest()
            digits = iter(digest * (len(name) // len(digest) + 1))
            self.known[name] = "".join(next(digits) if c.isalnum() else c for c in name)

    def settle(self) -> None:
        """All names are known now: the longest are replaced first."""
        ordered = sorted(self.known, key=len, reverse=True)
        self._within = [name for name in ordered if _is_id(name)]
        self._alone = [name for name in ordered if len(name) >= _SHORT and not _is_id(name)]

    def text(self, text: str) -> str:
        """A text with all known names and all addresses replaced."""
        found = self._done.get(text)
        if found is None:
            found = self._replaced(text)
            if len(text) < _LONG:
                self._done[text] = found
        return found

    def _replaced(self, text: str) -> str:
        if text in self.known:
            return self.known[text]
        for name in self._within:
            if name in text:
                text = text.replace(name, self.known[name])
        for name in self._alone:
            if name in text:
                text = re.sub(rf"(?<!\w){re.escape(name)}(?!\w)", self.known[name], text)
        if "/" in text:  # short names as parts of a path
            text = "/".join(
                self.known.get(part, part) if len(part) < _SHORT else part
                for part in text.split("/")
            )
        for pattern, blank in _ADDRESSES:
            text = pattern.sub(blank, text)
        return text


def _is_id(name: str) -> bool:
    return len(name) >= _ID and re.fullmatch(r"[0-9a-f_-]+", name) is not None


class Redactor:
    """Rewrites records: give all of them to ``learn``, then ``settle``, then each to ``record``."""

    def __init__(self) -> None:
        self._names = _Names()
        self._left_out: set[str] = set()
        self._kept: set[str] = set()
        self._markers: list[str] = []
        self._groups: set[str] = set()

    def preview(self) -> Preview:
        """What was done so far."""
        return Preview(
            tuple(sorted(self._names.known.items())),
            tuple(sorted(self._left_out)),
            len(self._kept),
            tuple(self._markers),
        )

    def name(self, text: str) -> str:
        """A text with the names that were seen replaced."""
        return self._names.text(text)

    def learn(self, record: Record) -> None:
        """Note the names in a record; ``settle`` comes after the last one."""
        if record.kind == wire.HEAD:
            self._names.plain(_text(record.json().get("host")), "host")
        elif record.kind in {wire.KEY, wire.ENTITIES}:
            for space, row in _rows(record.json()):
                self._learn(space, row[-1])
        elif record.kind == wire.FACTS:
            for path in _mapping(record.json().get("files")):
                self._learn_path(path)

    def settle(self) -> None:
        """All records were seen: what of the groups' paths has no name yet gets one."""
        for part in sorted(self._groups):
            if _is_id(part):
                self._names.hexadecimal(part)
            elif not _KNOWN_GROUPS.fullmatch(part):
                self._names.plain(part, "group")
        self._names.settle()

    def record(self, record: Record) -> Record:
        """One record without names; samples hold none."""
        if record.kind in {wire.SAMPLE, wire.INDEX}:
            return record
        value = record.json()
        if record.kind == wire.HEAD:
            host = self._names.text(_text(value.get("host")))
            value = {name: value[name] for name in _HEAD if name in value}
            value = {**self._strings(value), "host": host, "redacted": True}
        elif record.kind in {wire.KEY, wire.ENTITIES}:
            for space, row in _rows(value):
                row[-1] = self._rewrite(space, row[-1])
        elif record.kind == wire.FACTS:
            value = {"files": self._facts(_mapping(value.get("files")))}
        else:
            value = self._strings(value)
            if record.kind == wire.MARKER:
                words = (_text(value.get("name")), _text(value.get("note")))
                self._markers.append(": ".join(filter(None, words)))
        return split(wire.json_record(record.kind, value))[0]

    def _learn(self, space: str, given: dict[str, Any]) -> None:
        names = self._names
        if space == "sandbox":
            names.hexadecimal(_text(given.get("id")))
            pod = _mapping(given.get("pod"))
            names.plain(_text(pod.get("name")), "pod")
            names.plain(_text(pod.get("namespace")), "namespace")
            uid = _text(pod.get("uid"))
            names.hexadecimal(uid)
            if "-" in uid:
                names.known[uid.replace("-", "_")] = names.known[uid].replace("-", "_")
        elif space in {"thread", "process"} and not given.get("sandbox"):
            name = _text(given.get("actor")) or _text(given.get("comm"))
            if not _KNOWN_PROCESSES.fullmatch(name):
                names.plain(name, "process")
        elif space == "nic":
            self._learn_link(_text(given.get("name")))
        for path in (given.get("path"), *_mapping(given.get("groups")).values()):
            self._learn_group(_text(path))

    def _learn_link(self, name: str) -> None:
        if not _KNOWN_LINKS.fullmatch(name):
            self._names.plain(name, "link")

    def _learn_group(self, path: str) -> None:
        self._groups.update(filter(None, path.split("/")))

    def _learn_path(self, path: str) -> None:
        link = _LINK_PATH.match(path)
        if link:
            self._learn_link(link.group(1) or link.group(2))
        group = _GROUP_PATH.fullmatch(path)
        if group and "/info/" not in path:
            self._learn_group(group.group(1))

    def _rewrite(self, space: str, given: dict[str, Any]) -> dict[str, Any]:
        given = dict(given)
        if "argv" in given:
            argv = given["argv"]
            mine = bool(given.get("sandbox")) and isinstance(argv, list)
            given["argv"] = redactline.shown(argv) if mine else []
        rewritten: dict[str, Any] = self._strings(given)
        if space == "thread" and not given.get("sandbox") and given.get("actor"):
            rewritten["name"] = rewritten["actor"]
        return rewritten

    def _facts(self, files: dict[str, Any]) -> dict[str, Any]:
        kept: dict[str, Any] = {}
        for path, text in files.items():
            if _FACTS.match(path) and not _NAMING_FACTS.fullmatch(path):
                self._kept.add(path)
                known = isinstance(text, str)
                kept[self._names.text(path)] = self._names.text(text) if known else None
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


def _text(value: Any) -> str:
    return value if isinstance(value, str) else ""


def _mapping(value: Any) -> dict[str, Any]:
    return value if isinstance(value, dict) else {}


def _rows(value: dict[str, Any]) -> Iterator[tuple[str, list[Any]]]:
    """Space and row of each entity in a K or E record, its attributes last."""
    for space, rows in _mapping(value.get("entities")).items():
        for row in rows if isinstance(rows, list) else ():
            if isinstance(row, list) and row and isinstance(row[-1], dict):
                yield space, row
    for news in (value.get("add"), value.get("change")):
        for row in news if isinstance(news, list) else ():
            if isinstance(row, list) and row and isinstance(row[-1], dict):
                yield _text(row[0]), row


def redact(source: Path, target: Path | None, *, force: bool = False) -> Preview:
    """Write a redacted copy, whole or not at all; without a target only tell what it would be.

    Raises ``RecordingProblem`` and ``DestinationProblem``.
    """
    if target is not None and target.exists() and not force:
        raise DestinationProblem(
            f"{clean(str(target))} exists already.", hint="Choose another name, or use --force."
        )
    redactor = Redactor()
    with Recording(source) as recording:
        for record in _whole(recording):
            redactor.learn(record)
        redactor.settle()
        if target is None:
            for record in _whole(recording):
                redactor.record(record)
            return redactor.preview()
        try:
            with staging(target) as folder:
                _write(recording, redactor, folder / "redacted")
                (folder / "redacted").replace(target)
        except OSError as error:
            message = f"Cannot write {clean(str(target))}: {problem_text(error)}."
            raise DestinationProblem(message) from error
    return redactor.preview()


def _whole(recording: Recording) -> Iterator[Record]:
    """All records up to the first damage."""
    try:
        yield from recording.everything()
    except StreamDamaged:
        return


def _write(recording: Recording, redactor: Redactor, path: Path) -> None:
    recorder = Recorder(path)
    try:
        for record in _whole(recording):
            recorder.write(redactor.record(record))
        if recording.overview is not None:
            keys, times, waits, scores = recording.overview
            names = [redactor.name(key) for key in keys]
            for column, time_s in enumerate(times):
                time_us = round(float(time_s) * 1e6)
                recorder.overview.add(time_us, names, waits[:, column], scores[:, column])
    finally:
        recorder.close()
