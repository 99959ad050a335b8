"""The time line below every view: the strip, and what plays, pauses and keeps."""

import math
from dataclasses import dataclass

from PySide6.QtCore import QLocale, Qt, Signal
from PySide6.QtWidgets import QCheckBox, QComboBox, QSizePolicy, QWidget

from kataui.ui.isolation.chartparts import Flag, Times, Values
from kataui.ui.isolation.heads import Head
from kataui.ui.isolation.timestrip import BOTH, TimeStrip
from kataui.ui.widgets.buttons import Button
from kataui.ui.widgets.card import Card, row
from kataui.ui.words import tr

LIVE_SPAN_S = 900.0
WINDOW_S = 300.0  # what is kept at first
SHOWN_S = 60.0  # what strips and CPU map show
SPEEDS = (0.25, 0.5, 1.0, 2.0, 5.0, 10.0, 60.0)
_UNIT = "waiting of the sandbox that waits most, % of CPU time"
_STEP_S = 1.0


@dataclass(frozen=True, slots=True, eq=False)
class History:
    """Waiting of all sandboxes (fractions, float32, NaN for gaps) over times in seconds.

    ``wall_offset_s`` makes Unix time of them.
    """

    times_s: Times
    waiting: Values
    flags: tuple[Flag, ...] = ()
    wall_offset_s: float | None = None


class _Controls(QWidget):
    """The buttons in the head of the card."""

    def __init__(self, *, live: bool) -> None:
        super().__init__()
        self.back = Button("Step back", icon="left", kind="quiet")
        self.pause = Button("Pause", icon="pause")
        self.keep = Button("Keep", icon="save")
        self.speed = QComboBox()
        self.speed.setAccessibleName(tr("Speed"))
        for speed in SPEEDS:
            self.speed.addItem(tr(f"{QLocale().toString(speed, 'g', 3)}\u00a0\u00d7"), speed)
        self.speed.setCurrentIndex(SPEEDS.index(1.0))
        self.loop = QCheckBox(tr("Loop"))
        self.loop.setAccessibleName(tr("Play again at the end"))
        buttons = row(self.back, self.pause, self.speed, self.loop, self.keep, spacing_u=2.5)
        # Without an alignment the row would be as low as its lowest part.
        buttons.setAlignment(self.loop, Qt.AlignmentFlag.AlignVCenter)
        self.setLayout(buttons)
        for widget in (self.speed, self.loop):
            widget.setVisible(not live)
        self.keep.setVisible(live)

    def say_pause(self, words: str, icon: str) -> None:
        """What the middle button does now."""
        self.pause.setText(f" {words}")
        self.pause.setAccessibleName(tr(words))
        self.pause.set_icon(icon)

    def say_keep(self, words: str) -> None:
        """How much would be kept now."""
        self.keep.setText(f" {words}")
        self.keep.setAccessibleName(tr(words))


class Timeline(Card):
    """``moved`` gives the window in seconds, ``keep`` the minutes that are to be saved.

    Live, the window ends at the newest sample until time is paused; a recording can be played
    faster, slower and in a loop.
    """

    moved = Signal(float, float)
    paused = Signal(bool)
    keep = Signal(int)
    speed_changed = Signal(float)
    loop_changed = Signal(bool)

    def __init__(self, *, live: bool = True) -> None:
        self._controls = _Controls(live=live)
        title = "Last 15 minutes" if live else "The whole recording"
        super().__init__()
        self.body.addWidget(Head(title, _UNIT, self._controls))
        self._live = live
        self._paused = not live
        self._minutes = 0
        self._started = False
        self._width_s = WINDOW_S if live else SHOWN_S
        self.strip = TimeStrip()
        self.strip.moved.connect(self._on_moved)
        self.body.addWidget(self.strip)
        self.setSizePolicy(QSizePolicy.Policy.Preferred, QSizePolicy.Policy.Fixed)
        self._controls.back.clicked.connect(self._on_back)
        self._controls.pause.clicked.connect(self._on_pause)
        self._controls.keep.clicked.connect(self._on_keep)
        self._controls.speed.currentIndexChanged.connect(self._on_speed)
        self._controls.loop.toggled.connect(self.loop_changed)
        self._say_pause()
        self._say_minutes()

    def set_data(self, history: History) -> None:
        """Show what is known; only what is visible is painted."""
        times_s = history.times_s
        end_s = float(times_s[-1]) if len(times_s) else 0.0
        first_s = float(times_s[0]) if len(times_s) else 0.0
        begin_s = end_s - LIVE_SPAN_S if self._live else first_s
        self.strip.show_data(
            times_s,
            history.waiting,
            (begin_s, end_s),
            flags=history.flags,
            wall_offset_s=history.wall_offset_s,
            last="now" if self._live else "",
        )
        if len(times_s) and not self._started:
            self._started = True
            self.strip.set_window(end_s - self._width_s, end_s)
        elif self._live and not self._paused:
            self.strip.set_window(end_s - self._width_s, end_s)
        self._say_minutes()

    def set_window(self, begin_s: float, end_s: float) -> None:
        """Put the window where something else went; tells nobody."""
        self._started = True
        self.strip.set_window(begin_s, end_s)
        self._say_minutes()

    def set_moment(self, end_s: float) -> None:
        """Let the window end at a moment, as wide as it was; tells nobody."""
        self.set_window(end_s - self._width_s, end_s)

    def set_paused(self, paused: bool) -> None:  # noqa: FBT001 - it is a slot for a signal
        """Show that time stands still or goes on; tells nobody."""
        if paused != self._paused:
            self._paused = paused
            self._say_pause()

    def set_speed(self, speed: float) -> None:
        """Show a speed of ``SPEEDS``; tells nobody."""
        self._controls.speed.blockSignals(True)  # noqa: FBT003 - Qt's own signature
        self._controls.speed.setCurrentIndex(SPEEDS.index(speed))
        self._controls.speed.blockSignals(False)  # noqa: FBT003 - Qt's own signature

    def _say_pause(self) -> None:
        words = "Pause" if not self._paused else "Go on" if self._live else "Play"
        self._controls.say_pause(words, "play" if self._paused else "pause")

    def _say_minutes(self) -> None:
        """What is kept reaches back to where the window begins."""
        back_s = self.strip.range_s[1] - self.strip.window_s[0]
        minutes = min(max(1, math.ceil(back_s / 60 - 0.01)), round(LIVE_SPAN_S / 60))
        if minutes != self._minutes:
            self._minutes = minutes
            many = f"Keep the last {minutes} minutes"
            self._controls.say_keep(many if minutes > 1 else "Keep the last minute")

    def _on_back(self) -> None:
        self.strip.shift(BOTH, -_STEP_S)

    def _on_pause(self) -> None:
        self.set_paused(not self._paused)
        self.paused.emit(self._paused)

    def _on_keep(self) -> None:
        self.keep.emit(self._minutes)

    def _on_speed(self, number: int) -> None:
        self.speed_changed.emit(SPEEDS[number])

    def _on_moved(self, begin_s: float, end_s: float) -> None:
        if begin_s > self.strip.range_s[0]:  # there it may be cut off
            self._width_s = end_s - begin_s
        self._say_minutes()
        self.moved.emit(begin_s, end_s)
