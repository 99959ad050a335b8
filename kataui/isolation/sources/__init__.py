"""Where the stream comes from: this host, another one, a Prometheus server."""

from kataui.errors import KatauiError
from kataui.isolation.sources.feed import Feed
from kataui.isolation.sources.local import LocalFeed
from kataui.isolation.sources.prometheus import PrometheusFeed
from kataui.isolation.sources.questions import Ask
from kataui.isolation.sources.ssh import SshFeed

LOCAL = "local"
SSH = "ssh:"
PROMETHEUS = "prometheus:"


def is_live(source: str) -> bool:
    """Whether the text names a live source, not a file."""
    return source == LOCAL or source.startswith((SSH, PROMETHEUS))


def open_feed(source: str, *, rate_hz: float = 1.0, ask: Ask | None = None) -> Feed:
    """The live source that ``local``, ``ssh:HOST`` or ``prometheus:URL[#INSTANCE]`` names.

    Nothing is read yet; ``rate_hz`` is for the collector, ``ask`` for ssh's questions. Raises
    ``KatauiError`` for text that names none.
    """
    if source == LOCAL:
        return LocalFeed(rate_hz=rate_hz)
    if source.startswith(SSH):
        return SshFeed(source.removeprefix(SSH), rate_hz=rate_hz, ask=ask)
    if source.startswith(PROMETHEUS):
        url, _, instance = source.removeprefix(PROMETHEUS).partition("#")
        return PrometheusFeed(url, instance=instance)
    hint = "Write local, ssh:HOST, prometheus:URL, or the name of a recording."
    raise KatauiError("This names no source.", hint=hint)
