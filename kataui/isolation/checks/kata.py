"""What Kata was told, for checks: the configuration of a sandbox's kind, and drop-ins for it."""

from typing import Any

from kataui.isolation.model import HostView, Sandbox
from kataui.kata import configuration
from kataui.kata.configuration import Configuration, DropIn

_TOML = ".toml"


def of_sandbox(view: HostView, sandbox: Sandbox) -> Configuration | None:
    """The configuration file for sandboxes of this kind; None when none could be read."""
    files = {path: text for path, text in view.facts.items() if path.endswith(_TOML)}
    return configuration.find(files, sandbox.hypervisor, sandbox.runtime)


def setting(view: HostView, sandbox: Sandbox, key: str, *, runtime: bool = False) -> Any:
    """A key of the hypervisor's section (or of ``[runtime]``); None when it is not known."""
    found = of_sandbox(view, sandbox)
    return None if found is None else found.get(_section(sandbox, runtime=runtime), key)


def drop_in(
    view: HostView, sandbox: Sandbox, key: str, value: Any, *, runtime: bool = False
) -> DropIn:
    """The drop-in that sets one key for sandboxes of this kind, with its undo."""
    changes = [(_section(sandbox, runtime=runtime), key, value)]
    return configuration.drop_in(of_sandbox(view, sandbox), changes)


def _section(sandbox: Sandbox, *, runtime: bool) -> str:
    if runtime:
        return configuration.RUNTIME
    return configuration.section_of(sandbox.hypervisor, sandbox.runtime)
