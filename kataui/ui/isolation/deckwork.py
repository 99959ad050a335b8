"""What workers do for the deck: opening, reading back, catching up. No widget is touched here."""

from pathlib import Path

from kataui.errors import KatauiError
from kataui.isolation.analysis import Picture
from kataui.isolation.detail import Detail, read_back
from kataui.isolation.history import History
from kataui.isolation.opening import Source
from kataui.isolation.player import Player
from kataui.isolation.recording import Recording
from kataui.isolation.session import Session
from kataui.isolation.store import Store
from kataui.progress import Control

_DETAIL_US = 120_000_000
_FIRST_US = 10_000_000  # a recording opens where its first window is full


def open_file(source: Source) -> tuple[Recording, Player, Picture | None]:
    """A recording, and its first picture. Raises ``RecordingProblem``."""
    recording = Recording(Path(source.text))
    try:
        player = Player(recording)
        picture = player.seek(player.begin_us + _FIRST_US)
    except BaseException:
        recording.close()
        raise
    return recording, player, picture or player.step()


def whole_past(recording: Recording, control: Control) -> History:
    """Waiting over the whole time, for a file that has no overview. Raises ``Cancelled``."""
    player = Player(recording)
    player.seek(player.begin_us)
    while player.pass_over() is not None:
        control.check()
        player.analysis.glance()
    return player.analysis.history


def detail(key: str, end_us: int, store: Store, control: Control) -> Detail:
    """The last minutes of one sandbox before a moment."""
    control.check()
    begin_us = max(store.segments[0].begin_us, end_us - _DETAIL_US)
    return read_back(Player(store), key, begin_us, end_us)


def catch_up(session: Session | None) -> None:
    """Work out what a hidden window did not: the last minute, from the ring."""
    if session is None or not session.ring.segments:
        return
    player = Player(session.ring)
    player.seek(player.end_us)
    session.analysis.history.adopt(player.analysis.history)
    session.analysis.cpu_map = player.analysis.cpu_map


def problem_of(error: Exception) -> str:
    """An error as a sentence and its hint."""
    if isinstance(error, KatauiError):
        return f"{error.message} {error.hint}".strip()
    return f"{error!r:.200}"
