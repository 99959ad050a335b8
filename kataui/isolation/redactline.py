"""Command lines fit to be shown to others: the program, and the options that checks read.

Of an option's value only settings remain, never what a person named: files, serial numbers, ids.
"""

import json
import re
from collections.abc import Iterator
from typing import Any

BLANK = "..."
_PROGRAMS = re.compile(
    r"qemu-system-[\w-]+|qemu-kvm|cloud-hypervisor|firecracker|jailer|stratovirt|openvmm|dragonball"
    r"|virtiofsd|nydusd|containerd-shim-kata[a-z0-9-]*"
)
_WITH_SETTINGS = (
    *("-smp", "-m", "-machine", "-accel", "-cpu", "-object", "-netdev", "-device", "-drive"),
    *("-blockdev", "-numa", "-name"),
)
_WITH_PATH = ("--shared-dir", "--api-socket", "--api-sock", "-id", "--id", "-qmp", "-pidfile")
_WITH_WORD = ("--cache", "--thread-pool-size", "--socket-path")
_KATA_PATH = re.compile(r"(unix:)?(/run/user/\d+)?/run/(vc|kata|kata-containers)/[\w./-]*")
_SETTINGS = frozenset(
    {
        *("accel", "addr", "aio", "bus", "cache", "cache-size", "cache.direct", "cache.no-flush"),
        *("confidential-guest-support", "cores", "cpus", "debug-threads", "direct", "dies"),
        *(
            "driver",
            "fd",
            "fds",
            "format",
            "host",
            "iommu_platform",
            "if",
            "kernel_irqchip",
            "maxcpus",
        ),
        *("maxmem", "media", "merge", "mq", "no-flush", "num-queues", "nvdimm"),
        *("poll-us", "prealloc", "pmu", "queue-size", "queues", "read-only", "readonly", "share"),
        *(
            "size",
            "slots",
            "snapshot",
            "sockets",
            "sysfsdev",
            "threads",
            "type",
            "vectors",
            "vhost",
        ),
        *("vhostfd", "vhostfds", "hugetlb", "hugetlbsize", "policy", "nodeid"),
    }
)
_PLAIN = re.compile(r"[\w.:+-]{1,40}")
_DEVICE_PATH = re.compile(r"/sys/bus/[\w./:-]+|/dev/(hugepages|shm|nvme\w+|[shv]d[a-z]\d*|loop\d+)")


def shown(argv: list[Any]) -> list[str]:
    """The program, and the options that checks read with what is a setting in their values."""
    words = [str(word) for word in argv]
    return [*map(_program, words[:1]), *_options(words[1:])]


def _program(word: str) -> str:
    name = word.rpartition("/")[2]
    return name if _PROGRAMS.fullmatch(name) else BLANK


def _options(words: list[str]) -> Iterator[str]:
    before = ""
    for word in words:
        option, equals, value = word.partition("=")
        if before:
            yield _value(before, word)
            before = ""
        elif option in {*_WITH_SETTINGS, *_WITH_PATH, *_WITH_WORD}:
            yield f"{option}={_value(option, value)}" if equals else option
            before = "" if equals else option


def _value(option: str, value: str) -> str:
    if option in _WITH_PATH:
        good = _KATA_PATH.fullmatch(value) or (option.endswith("-id") and _PLAIN.fullmatch(value))
        return value.partition(",")[0] if good else BLANK
    if option in _WITH_WORD:
        return value if _PLAIN.fullmatch(value) else BLANK
    if option == "-name":  # the id in it is replaced like every id
        name, comma, rest = value.partition(",")
        return name + (comma + _settings(rest) if comma else "")
    if value.startswith("{"):
        try:
            return json.dumps(_cleared(json.loads(value)), separators=(",", ":"))
        except (ValueError, RecursionError):
            return BLANK
    return _settings(value)


def _settings(value: str) -> str:
    """``driver,name=value,...`` with the values of settings only."""
    parts = []
    for part in value.replace(",,", "\0").split(","):
        name, equals, given = part.partition("=")
        if not equals:
            parts.append(name if _PLAIN.fullmatch(name) else BLANK)
        elif _PLAIN.fullmatch(name):
            parts.append(f"{name}={_setting(name, given)}")
    return ",".join(parts)


def _setting(name: str, given: str) -> str:
    last = name.rpartition(".")[2]
    if name in _SETTINGS or last in _SETTINGS:
        return given if _PLAIN.fullmatch(given) or _DEVICE_PATH.fullmatch(given) else BLANK
    if name == "mem-path":
        return given if _DEVICE_PATH.fullmatch(given) else BLANK
    return BLANK


def _cleared(value: Any, name: str = "") -> Any:
    if isinstance(value, dict):
        return {key: _cleared(inner, key) for key, inner in value.items() if _PLAIN.fullmatch(key)}
    if isinstance(value, list):
        return [_cleared(item, name) for item in value]
    return _setting(name, value) if isinstance(value, str) else value
