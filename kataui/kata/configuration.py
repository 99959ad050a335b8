"""Kata's configuration file: where it is, what its sections are called, how a drop-in changes it.

Source: kata-containers 4.1.0, src/runtime/config, src/runtime-rs/config and kata-deploy. A drop-in
in ``config.d`` next to the file is merged over it, in the order of the names; ``50-`` is the range
that is left to users.
"""

import tomllib
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from functools import lru_cache
from pathlib import PurePosixPath
from typing import Any

DROP_IN = "50-kataui.toml"
RUNTIME = "runtime"
_RUST_SECTIONS = {"cloud-hypervisor": "cloud-hypervisor"}
_GO_SECTIONS = {"cloud-hypervisor": "clh"}
_USUAL = "/etc/kata-containers/configuration.toml"
_FALLBACKS = (
    _USUAL,
    "/usr/share/defaults/kata-containers/configuration.toml",
    "/opt/kata/share/defaults/kata-containers/",
)


@dataclass(frozen=True, slots=True)
class Configuration:
    """One configuration with its drop-ins merged; ``path`` is the main file."""

    path: str
    values: Mapping[str, Any] = field(repr=False)

    def get(self, section: str, key: str) -> Any:
        """A key's value, None if absent; ``section`` is ``runtime`` or a hypervisor's name."""
        table = self.values
        for name in (section,) if section == RUNTIME else ("hypervisor", section):
            inner = table.get(name)
            if not isinstance(inner, dict):
                return None
            table = inner
        return table.get(key)


@dataclass(frozen=True, slots=True)
class DropIn:
    """A file to write and the way back."""

    path: str
    text: str

    @property
    def fix(self) -> str:
        """The file and its lines, for people."""
        return f"{self.path}\n{self.text}"

    @property
    def undo(self) -> str:
        """The command that takes it back."""
        return f"rm {self.path}    # then start the pods anew"


def section_of(hypervisor: str, runtime: str) -> str:
    """The name of a hypervisor's section: Go calls Cloud Hypervisor ``clh``."""
    names = _RUST_SECTIONS if runtime == "rust" else _GO_SECTIONS
    return names.get(hypervisor, hypervisor)


def find(files: Mapping[str, str], hypervisor: str, runtime: str) -> Configuration | None:
    """The configuration that the next pod of this kind gets, of the files that could be read.

    ``files`` maps paths to TOML text. None: nothing fitting was readable (it may need root).
    Containerd's ``ConfigPath`` can choose another file; what runs already tells itself.
    """
    mains = sorted(
        (path for path in files if path.endswith(".toml") and "/config.d/" not in path),
        key=lambda path: (_rank(path), path),
    )
    section = section_of(hypervisor, runtime)
    for path in mains:
        values = _parse(files[path])
        hypervisors = values.get("hypervisor")
        rust = "runtime-rs" in path or "overhead_vcpus" in files[path]
        fits = isinstance(hypervisors, dict) and section in hypervisors
        if fits and (not runtime or rust == (runtime == "rust")):
            folder = str(PurePosixPath(path).parent / "config.d") + "/"
            for name in sorted(name for name in files if name.startswith(folder)):
                values = _merged(values, _parse(files[name]))
            return Configuration(path, values)
    return None


def drop_in(configuration: Configuration | None, changes: Iterable[tuple[str, str, Any]]) -> DropIn:
    """The drop-in that sets (section, key, value)s; beside the usual file when none was read."""
    base = configuration.path if configuration else _USUAL
    tables: dict[str, list[str]] = {}
    for section, key, value in changes:
        name = section if section == RUNTIME else f"hypervisor.{section}"
        tables.setdefault(name, []).append(f"{key} = {_literal(value)}")
    text = "\n".join("\n".join([f"[{name}]", *lines]) for name, lines in tables.items())
    return DropIn(str(PurePosixPath(base).parent / "config.d" / DROP_IN), text + "\n")


def _rank(path: str) -> int:
    for rank, prefix in enumerate(_FALLBACKS):
        if path.startswith(prefix):
            return rank
    return len(_FALLBACKS)


@lru_cache(maxsize=64)
def _parse(text: str) -> dict[str, Any]:
    try:
        return tomllib.loads(text)
    except (tomllib.TOMLDecodeError, RecursionError):
        return {}


def _merged(base: Mapping[str, Any], over: Mapping[str, Any]) -> dict[str, Any]:
    result = dict(base)
    for key, value in over.items():
        before = result.get(key)
        both = isinstance(before, dict) and isinstance(value, dict)
        result[key] = _merged(before, value) if both and isinstance(before, dict) else value
    return result


def _literal(value: Any) -> str:
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, int | float):
        return str(value)
    return '"' + str(value).replace("\\", "\\\\").replace('"', '\\"') + '"'
