"""The deck: one source, live or recorded, played for the screens.

Live data goes on while the screens are paused: they look at the ring then. All work runs in jobs,
one after the other for a deck; a look costs nothing while no sample came.
"""

from collections.abc import Callable
from functools import partial
from pathlib import Path

from PySide6.QtCore import QObject, QTimer, Signal

from kataui.errors import KatauiError
from kataui.isolation.analysis import Analysis, Picture
from kataui.isolation.detail import Detail
from kataui.isolation.history import History
from kataui.isolation.opening import Source, open_feed
from kataui.isolation.player import Player
from kataui.isolation.recording import Recording, append_marker, keep
from kataui.isolation.session import Session, Turn
from kataui.isolation.sources.feed import Line, State
from kataui.isolation.store import Marker, Store
from kataui.progress import Control
from kataui.ui.isolation import deckwork
from kataui.ui.jobs import Jobs

_LOOK_MS = 200
_HIDDEN_LOOK_MS = 1000
_HIDDEN_EVERY = 15
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
        self._again = False
        self._wanted_us: int | None = None
        self._due_us = 0.0
        self._timer = QTimer(self)
        self._timer.timeout.connect(self._look)
        self._target = f"deck:{id(self)}"

    def open(self) -> None:
        """Begin; problems come through ``problem``."""
        if self.source.is_file:
            self._run(lambda _control: deckwork.open_file(self.source), self._opened)
        else:
            self.session = Session(open_feed(self.source, ask=self._ask))
            self._timer.start(_LOOK_MS)

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

        def on_done(history: History) -> None:
            self.past = history
            self.markers_changed.emit()

        self._jobs.start(
            lambda control: deckwork.whole_past(recording, control),
            on_done=on_done,
            on_error=lambda _error: None,
            quiet=True,
        )

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
        store = self.recording or (self.session.ring if self.session else None)
        segments = store.segments if store else ()
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

    def study(
        self,
        work: Callable[[Store, Control], object],
        done: Callable[..., None],
        failed: Callable[[Exception], None],
    ) -> None:
        """Run work on what the source holds now, in a job of its own; a live source goes on."""

        def begin(store: Store) -> None:
            self._jobs.start(lambda control: work(store, control), on_done=done, on_error=failed)

        if self.recording is not None:
            begin(self.recording)
        elif self.session is not None and self.session.ring.segments:
            ring = self.session.ring
            self._jobs.start(
                lambda _control: ring.copy(), on_done=begin, on_error=failed, target=self._target
            )
        else:
            failed(KatauiError("Nothing was measured yet."))

    def in_turn(
        self,
        work: Callable[[Control], object],
        done: Callable[..., None],
        failed: Callable[[Exception], None],
    ) -> None:
        """Run work on a picture: while it reads, no sample changes what it was made of."""
        self._jobs.start(work, on_done=done, on_error=failed, target=self._target)

    def read_detail(self, key: str, then: Callable[[Detail], None]) -> None:
        """The last minutes of one sandbox, up to the moment that is shown."""
        if self.picture is None:
            return
        work = partial(deckwork.detail, key, self.picture.time_us)
        self.study(work, then, lambda error: self.problem.emit(deckwork.problem_of(error)))

    def show_again(self) -> None:
        """Emit ``shown`` once more, as soon as no work changes what the screens read."""
        if self._working:
            self._again = True
        else:
            self._show(self.picture)

    @property
    def working(self) -> bool:
        """Whether a worker changes what the screens read just now."""
        return self._working

    @property
    def seeking(self) -> bool:
        """Whether another moment was asked for and is not shown yet."""
        return self._wanted_us is not None

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
        self.seek(max(begin_us, min(end_us, wanted + round(seconds * 1e6))))

    def mark(self, name: str, note: str = "", *, at: Picture | None = None) -> None:
        """Name the moment that is seen, or that was seen when somebody began to write."""
        at = at or self.picture
        try:
            if at is None:
                return
            mono_us, wall_us = at.time_us, round(at.wall_s * 1e6)
            if self.recording is not None:
                marker = Marker(name, mono_us, wall_us, note)
                append_marker(self.recording.path, marker)
                self.recording.markers.append(marker)
            elif self.session is not None:
                self.session.mark(name, note, at_us=(mono_us, wall_us))
        except KatauiError as error:
            self.problem.emit(deckwork.problem_of(error))
        self.markers_changed.emit()

    def keep(self, path: str, minutes: float | None, then: Callable[[Path], None]) -> None:
        """Save the last minutes of a live source; a failure is told and nothing else changes."""
        if self.session is None:
            return
        ring = self.session.ring

        def failed(error: Exception) -> None:
            self.problem.emit(deckwork.problem_of(error))

        # With the deck's target: the ring does not change while it is written.
        self._jobs.start(
            lambda _control: keep(ring, Path(path), minutes),
            on_done=then,
            on_error=failed,
            target=self._target,
        )

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
            self._run(
                lambda _control: deckwork.catch_up(self.session), lambda _none: None, quiet=True
            )
        elif self.session is not None:
            session = self.session
            every = _HIDDEN_EVERY if self._hidden else 1
            self._run(lambda _control: session.turn(0.0, every=every), self._turned, quiet=True)
        elif not self.paused and self.player is not None and not self._hidden:
            player, due_s = self.player, self.speed * _LOOK_MS / 1000
            self._run(lambda _control: self._advance(player, due_s), self._advanced, quiet=True)

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

    def _run(
        self, work: Callable[[Control], object], done: Callable[..., None], *, quiet: bool = False
    ) -> None:
        """One job at a time; nothing comes back after ``close``."""
        self._working = True

        def on_done(found: object) -> None:
            self._working = False
            if self._closed:
                self._give_back()
            else:
                done(found)
                if self._again and not self._working:
                    self._again = False
                    self._show(self.picture)
                self._fulfil()

        def on_error(error: Exception) -> None:
            self._working = False
            if self._closed:
                self._give_back()
            else:
                self._failed(error)

        self._jobs.start(work, on_done=on_done, on_error=on_error, target=self._target, quiet=quiet)

    def _failed(self, error: Exception) -> None:
        self._set_state(State(Line.LOST, deckwork.problem_of(error)))
        self._timer.stop()
        self.problem.emit(deckwork.problem_of(error))
