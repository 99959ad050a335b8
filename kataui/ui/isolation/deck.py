"""The deck: one source, live or recorded, played for the screens.

Live data goes on while the screens are paused: they look at the ring then. All work runs in jobs,
one after the other for a deck; a look costs nothing while no sample came.
"""

from collections.abc import Callable
from pathlib import Path

from PySide6.QtCore import QObject, QTimer, Signal

from kataui.errors import KatauiError
from kataui.isolation.analysis import Analysis, Picture
from kataui.isolation.detail import Detail, read_back
from kataui.isolation.history import History
from kataui.isolation.opening import Source, open_feed
from kataui.isolation.player import Player
from kataui.isolation.recording import Recording, append_marker, keep
from kataui.isolation.session import Session, Turn
from kataui.isolation.sources.feed import Line, State
from kataui.isolation.store import Marker, Store
from kataui.progress import Control
from kataui.ui.jobs import Jobs

_LOOK_MS = 200
_HIDDEN_LOOK_MS = 1000
_HIDDEN_EVERY = 15
_DETAIL_US = 120_000_000
_FIRST_US = 10_000_000  # a recording opens where its first window is full
Ask = Callable[[str, bool], str | None]


class Deck(QObject):
    """Emits ``shown`` with each picture that is to be seen; ``state`` tells how the line is."""

    shown = Signal(object)
    line_changed = Signal(object)
    problem = Signal(str)
    markers_changed = Signal()
    mode_changed = Signal()

    def __init__(self, jobs: Jobs, source: Source, ask: Ask | None = None) -> None:
        super().__init__()
        self.source = source
        self.session: Session | None = None
        self.recording: Recording | None = None
        self.player: Player | None = None
        self.picture: Picture | None = None
        self.past: History | None = None
        self.state = State(Line.CONNECTING, f"Opening {source.name}.")
        self.speed = 1.0
        self.loop = False
        self.paused = False
        self._jobs = jobs
        self._ask = ask
        self._hidden = False
        self._missed = False
        self._working = False
        self._closed = False
        self._wanted_us: int | None = None
        self._due_us = 0.0
        self._timer = QTimer(self)
        self._timer.timeout.connect(self._look)
        self._target = f"deck:{id(self)}"

    def open(self) -> None:
        """Begin; problems come through ``problem``."""
        if self.source.is_file:
            self._run(self._open_file, self._opened)
        else:
            self.session = Session(open_feed(self.source, ask=self._ask))
            self._timer.start(_LOOK_MS)

    def _open_file(self, control: Control) -> tuple[Recording, Player, Picture | None]:
        del control
        recording = Recording(Path(self.source.text))
        try:
            player = Player(recording)
            picture = player.seek(player.begin_us + _FIRST_US)
        except BaseException:
            recording.close()
            raise
        return recording, player, picture or player.step()

    def _opened(self, found: tuple[Recording, Player, Picture | None]) -> None:
        self.recording, self.player, picture = found
        self.paused = True
        text = "The end of this file is missing." if self.recording.cut else "A recording"
        self._set_state(State(Line.LIVE, text))
        self._timer.start(_LOOK_MS)
        self.markers_changed.emit()
        self.mode_changed.emit()
        self._show(picture)
        if self.recording.overview is None:
            self._work_out_past(self.recording)

    def _work_out_past(self, recording: Recording) -> None:
        """Waiting over the whole time, for a file that has no overview."""

        def work(control: Control) -> History:
            player = Player(recording)
            player.seek(player.begin_us)
            while player.pass_over() is not None:
                control.check()
                player.analysis.glance()
            return player.analysis.history

        def on_done(history: History) -> None:
            self.past = history
            self.markers_changed.emit()

        self._jobs.start(work, on_done=on_done, on_error=lambda _error: None)

    @property
    def live(self) -> bool:
        """Whether what is seen is now."""
        return self.session is not None and self.player is None

    @property
    def analysis(self) -> Analysis | None:
        """Where the picture on the screen comes from."""
        if self.player is not None:
            return self.player.analysis
        return self.session.analysis if self.session else None

    @property
    def markers(self) -> list[Marker]:
        """All markers of the source."""
        if self.recording is not None:
            return self.recording.markers
        return self.session.ring.markers if self.session else []

    @property
    def range_us(self) -> tuple[int, int]:
        """From when to when there is anything to see."""
        segments = self.store.segments if self.store else ()
        return (segments[0].begin_us, segments[-1].end_us) if segments else (0, 0)

    def set_hidden(self, *, hidden: bool) -> None:
        """Nobody looks: take the samples in, judge few of them, paint nothing."""
        if self._hidden and not hidden and self.session is not None and self.picture is not None:
            self._missed = True
        self._hidden = hidden
        if self._timer.isActive():
            self._timer.start(_HIDDEN_LOOK_MS if hidden else _LOOK_MS)

    def pause(self) -> None:
        """Hold the screen; a live source goes on in the ring."""
        if self.paused:
            return
        self.paused = True
        if self.session is not None and self.session.ring.segments:
            ring, at_us = self.session.ring, self.range_us[1]

            def work(control: Control) -> tuple[Player, Picture | None]:
                del control
                player = Player(ring)
                return player, player.seek(at_us)

            self._run(work, self._held)
        self.mode_changed.emit()

    def _held(self, found: tuple[Player, Picture | None]) -> None:
        if self.paused:
            self.player, picture = found
            self._show(picture)

    def resume(self) -> None:
        """Go on: live again, or play from here."""
        self.paused = False
        if self.session is not None:
            self.player = None
        self._due_us = 0.0
        self.mode_changed.emit()

    def set_speed(self, speed: float) -> None:
        """How fast a recording plays."""
        self.speed = speed

    def set_loop(self, loop: bool) -> None:  # noqa: FBT001 - a signal's slot
        """Whether a recording begins again at its end."""
        self.loop = loop

    @property
    def store(self) -> Store | None:
        """What can be looked at again."""
        return self.recording or (self.session.ring if self.session else None)

    def read_detail(self, key: str, then: Callable[[Detail], None]) -> None:
        """The last minutes of one sandbox, read back in a job of its own."""
        store, picture = self.store, self.picture
        if store is None or picture is None or not store.segments:
            return
        end_us = int(picture.time_s * 1e6)
        begin_us = max(store.segments[0].begin_us, end_us - _DETAIL_US)

        def failed(error: Exception) -> None:
            self.problem.emit(str(error))

        self._jobs.start(
            lambda _control: read_back(Player(store), key, begin_us, end_us),
            on_done=then,
            on_error=failed,
        )

    def seek(self, time_us: int) -> None:
        """Look at another moment; of several wishes only the newest is fulfilled."""
        self.pause()
        self._wanted_us = time_us
        self._fulfil()

    def _fulfil(self) -> None:
        player, at_us = self.player, self._wanted_us
        if player is None or at_us is None or self._working:
            return
        self._wanted_us = None
        self._due_us = 0.0
        self._run(lambda _control: player.seek(at_us), self._show)

    def step(self, seconds: float) -> None:
        """Back or forth by so much."""
        shown_us = self.player.time_us if self.player else self.range_us[1]
        wanted = self._wanted_us if self._wanted_us is not None else shown_us
        begin_us, end_us = self.range_us
        self.seek(max(begin_us, min(end_us, wanted + int(seconds * 1e6))))

    def mark(self, name: str, note: str = "") -> None:
        """Name the moment that is seen."""
        try:
            if self.recording is not None and self.picture is not None:
                marker = Marker(
                    name, int(self.picture.time_s * 1e6), int(self.picture.wall_s * 1e6), note
                )
                append_marker(self.recording.path, marker)
                self.recording.markers.append(marker)
            elif self.session is not None:
                self.session.mark(name, note)
        except KatauiError as error:
            self.problem.emit(f"{error.message} {error.hint}".strip())
        self.markers_changed.emit()

    def keep(self, path: str, minutes: float | None) -> None:
        """Save the last minutes of a live source."""
        if self.session is None:
            return
        ring = self.session.ring
        self._run(lambda _control: keep(ring, Path(path), minutes), lambda _path: None)

    def retry(self) -> None:
        """Try again what failed."""
        if self.source.is_file and self.recording is None:
            self.open()
        else:
            self._timer.start(_HIDDEN_LOOK_MS if self._hidden else _LOOK_MS)

    def close(self) -> None:
        """End everything, now or when the work that goes on is done."""
        self._closed = True
        self._timer.stop()
        if not self._working or self._jobs.closed:
            self._give_back()

    def _give_back(self) -> None:
        if self.session is not None:
            self.session.close()
        if self.recording is not None:
            self.recording.close()

    def _look(self) -> None:
        """Every 200 ms: what came, or the next samples of what is played."""
        if self._working or self._closed:
            return
        if self._wanted_us is not None:
            self._fulfil()
        elif self._missed and self.session is not None:
            self._missed = False
            self._run(lambda _control: _catch_up(self.session), lambda _none: None)
        elif self.session is not None:
            session = self.session
            every = _HIDDEN_EVERY if self._hidden else 1
            self._run(lambda _control: session.turn(0.0, every=every), self._turned)
        elif not self.paused and self.player is not None and not self._hidden:
            player, due_s = self.player, self.speed * _LOOK_MS / 1000
            self._run(lambda _control: self._advance(player, due_s), self._advanced)

    def _advance(self, player: Player, due_s: float) -> tuple[Picture | None, bool]:
        """The samples that are due; the picture of the last one, and whether the end is there."""
        self._due_us = max(self._due_us, float(player.time_us)) + due_s * 1e6
        moved = ended = False
        while player.time_us < self._due_us and not ended:
            following = player.next_time_us
            if following is None:
                ended = True
            elif following > self._due_us:
                break
            else:
                player.pass_over()
                player.analysis.glance()
                moved = True
        return (player.analysis.picture() if moved else None), ended

    def _advanced(self, found: tuple[Picture | None, bool]) -> None:
        picture, ended = found
        self._show(picture)
        if ended and self.loop:
            self._wanted_us = self.range_us[0]
        elif ended:
            self.pause()

    def _turned(self, turn: Turn) -> None:
        self._set_state(turn.state)
        if turn.problem:
            self.problem.emit(turn.problem)
        if turn.pictures and self.player is None:
            self._show(turn.pictures[-1])

    def _show(self, picture: Picture | None) -> None:
        if picture is not None:
            self.picture = picture
            self.shown.emit(picture)

    def _set_state(self, state: State) -> None:
        if state != self.state:
            self.state = state
            self.line_changed.emit(state)

    def _run(self, work: Callable[[Control], object], done: Callable[..., None]) -> None:
        """One job at a time; nothing comes back after ``close``."""
        self._working = True

        def on_done(found: object) -> None:
            self._working = False
            if self._closed:
                self._give_back()
            else:
                done(found)
                self._fulfil()

        def on_error(error: Exception) -> None:
            self._working = False
            if self._closed:
                self._give_back()
            else:
                self._failed(error)

        self._jobs.start(work, on_done=on_done, on_error=on_error, target=self._target)

    def _failed(self, error: Exception) -> None:
        message = error.message if isinstance(error, KatauiError) else f"{error!r:.200}"
        hint = error.hint if isinstance(error, KatauiError) else ""
        self._set_state(State(Line.LOST, message))
        self._timer.stop()
        self.problem.emit(f"{message} {hint}".strip())


def _catch_up(session: Session | None) -> None:
    """Work out what a hidden window did not: the last minute, from the ring."""
    if session is None or not session.ring.segments:
        return
    player = Player(session.ring)
    player.seek(player.end_us)
    session.analysis.history.adopt(player.analysis.history)
    session.analysis.cpu_map = player.analysis.cpu_map
