"""What all live sources of the stream have in common."""

from dataclasses import dataclass
from enum import StrEnum
from typing import Protocol

from kataui.isolation.stream import Record


class Line(StrEnum):
    """How it stands with the line to a source."""

    CONNECTING = "connecting"
    LIVE = "live"
    LOST = "lost"
    ENDED = "ended"


@dataclass(frozen=True, slots=True)
class State:
    """The line, a sentence for people, and when a lost line is tried again.

    ``retry_s`` is a time of ``time.monotonic()``; None unless the line is lost.
    """

    line: Line
    sentence: str
    retry_s: float | None = None


class Feed(Protocol):
    """A live source. ``read`` is for one thread; ``close`` may be called from any.

    After a lost line the stream begins anew, with a head and a key: whoever keeps differences
    starts over at each head.
    """

    @property
    def state(self) -> State:
        """How it stands with the line now."""

    def read(self, timeout_s: float) -> list[Record]:
        """What came, waiting at most ``timeout_s`` seconds (and for questions to the user).

        Nothing came, the line was lost just now, or everything was read: ``[]``. Raises
        ``KatauiError`` when the source cannot be reached at all, or trying again would not help.
        """

    def close(self) -> None:
        """End the source within two seconds; ``read`` gives nothing from here on."""
