"""The host that we run on as a source: the collector as a child process."""

from kataui.children import argv, importable
from kataui.errors import KatauiError
from kataui.isolation.sources.child import Child
from kataui.isolation.sources.retrying import USUAL, ChildFeed, Ending, Patience

_SLOWEST_HZ, _FASTEST_HZ = 0.001, 100.0


def arguments(rate_hz: float) -> list[str]:
    """What every collector is told; raises ``KatauiError`` for a rate that cannot be."""
    if not _SLOWEST_HZ <= rate_hz <= _FASTEST_HZ:
        message = f"A rate of {rate_hz:g} samples a second is not possible."
        raise KatauiError(message, hint="Use one between 0.001 and 100.")
    return ["--rate", repr(float(rate_hz))]


class LocalFeed(ChildFeed):
    """Samples of this host at ``rate_hz``; the roots may be captured trees instead."""

    def __init__(
        self,
        *,
        rate_hz: float = 1.0,
        proc_root: str = "/proc",
        sys_root: str = "/sys",
        patience: Patience = USUAL,
    ) -> None:
        self._arguments = arguments(rate_hz)
        super().__init__("this host", period_s=1 / rate_hz, patience=patience)
        self._arguments += [f"--proc-root={proc_root}", f"--sys-root={sys_root}"]

    def _start(self) -> Child:
        return Child(argv("kataui.isolation.collector", *self._arguments), env=importable())

    def _ending(self, child: Child) -> Ending:
        said = child.words[-1] if child.words else "it said nothing"
        message = f"The collector on this host ended with status {child.status} ({said})."
        return Ending(KatauiError(message))
