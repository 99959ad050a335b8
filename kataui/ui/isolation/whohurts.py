"""Who hurts whom: the matrix, and the evidence for the cell that is chosen."""

import math

import numpy as np
from PySide6.QtCore import Qt, Signal
from PySide6.QtWidgets import QHBoxLayout, QProgressBar, QSizePolicy, QWidget

from kataui.isolation.accuse import Accusation, actor_name, percent
from kataui.isolation.analysis import Picture
from kataui.isolation.layout import ActorKind
from kataui.isolation.model import Role
from kataui.ui import theme
from kataui.ui.icons import IconLabel
from kataui.ui.isolation.heat import HeatLegend
from kataui.ui.isolation.matrixmodel import Culprit, Group, Matrix, Victim
from kataui.ui.isolation.matrixview import MatrixView
from kataui.ui.widgets.buttons import Button
from kataui.ui.widgets.card import Card, clear, column, hairline, row
from kataui.ui.widgets.page import Scroll
from kataui.ui.widgets.text import label

_LIMIT, _ITSELF, _OTHERS, _UNKNOWN = "own limit", "itself", "others", "unknown"
_MOST = 40


class WhoHurts(QWidget):
    """``opened`` gives the victim's key, ``fix`` asks for the findings, ``measure`` for A and B."""

    opened = Signal(str)
    fix = Signal()
    measure = Signal()

    def __init__(self) -> None:
        super().__init__()
        self._picture: Picture | None = None
        self.matrix = MatrixView()
        self.matrix.opened.connect(lambda victim, _culprit: self.opened.emit(victim))
        self.matrix.current_changed.connect(lambda *_: self._explain())
        left = Card("Who waits, because of whom", note="waiting, % of CPU time, last 10 seconds")
        left.body.addWidget(self.matrix, 1)
        hint = label("hatched: cannot tell. Arrows move, Enter opens", "note", wrap=False)
        left.body.addLayout(row(HeatLegend(""), None, hint))
        scroll = Scroll(margin_u=0, look="inner")
        self._side = scroll.body
        self._side.setSpacing(theme.u(2.5))
        right = Card()
        right.body.addWidget(scroll, 1)
        layout = QHBoxLayout(self)
        layout.setContentsMargins(0, 0, 0, 0)
        layout.setSpacing(theme.u(4))
        for card, share in ((left, 7), (right, 3)):
            card.setSizePolicy(QSizePolicy.Policy.Preferred, QSizePolicy.Policy.Expanding)
            layout.addWidget(card, share)

    def show_picture(self, picture: Picture, _analysis: object) -> None:
        """A new moment."""
        self._picture = picture
        self.matrix.set_matrix(matrix_of(picture))
        self._explain()

    def _explain(self) -> None:
        """The evidence for the chosen cell."""
        clear(self._side)
        chosen, picture = self.matrix.current(), self._picture
        if chosen is None or picture is None:
            self._side.addWidget(label("No sandbox waits for anybody.", "dim"))
            return
        victim, culprit = chosen
        self._side.addWidget(label(self.matrix.words(), "heading"))
        found = _accusation(picture, victim, culprit)
        shares = picture.shares.get(victim)
        if shares is None:
            return
        self._side.addWidget(_confidence(shares.confidence))
        self._side.addWidget(hairline())
        for mark, title, text in evidence(picture, victim, found):
            words = column(label(title, "strong"), label(text, "note"), spacing_u=0.5)
            line = row(spacing_u=2.5)
            line.addWidget(IconLabel(mark), 0, Qt.AlignmentFlag.AlignTop)
            line.addLayout(words, 1)
            self._side.addLayout(line)
        if found is not None and found.named:
            self._side.addWidget(hairline())
            measure = Button("Measure it…", self.measure.emit, icon="measure", kind="primary")
            self._side.addLayout(row(measure, Button("Show the fix", self.fix.emit), None))


def _confidence(value: float) -> QWidget:
    holder = QWidget()
    bar = QProgressBar()
    bar.setRange(0, 1000)
    bar.setValue(round(1000 * value))
    bar.setTextVisible(False)
    word = "high" if value >= 0.8 else "fair" if value >= 0.5 else "low"
    text = f"{word}, {percent(value)} of the wait is certain"
    bar.setAccessibleName(f"Confidence: {text}")
    head = row(label("Confidence", "strong", wrap=False), None, label(text, "note", wrap=False))
    holder.setLayout(column(head, bar, spacing_u=1))
    return holder


def _accusation(picture: Picture, victim: str, culprit: str) -> Accusation | None:
    for item in picture.judgement.accusations:
        actor = item.actor
        key = actor.sandbox or f"host:{actor_name(picture.view, actor)}"
        if item.victim.key == victim and key == culprit:
            return item
    return None


def evidence(picture: Picture, victim: str, found: Accusation | None) -> list[tuple[str, str, str]]:
    """What speaks for and against it: mark, title, text."""
    lines = []
    view = picture.view
    if found is not None:
        sandbox = found.victim
        pinned = any(t.cpus == (found.cpu,) for t in sandbox.of_role(Role.VCPU))
        how = "its vCPU is pinned there" if pinned else "that is where most of the wait was"
        where = f"CPU\u00a0{found.cpu}" if found.cpu >= 0 else "the same CPUs"
        lines.append(("pass", f"Both run on {where}", f"{how[:1].upper()}{how[1:]}."))
        if found.correlation is None:
            text = "A minute of both is needed for it."
            lines.append(("unknown", "Whether they move together is not known yet", text))
        else:
            good = found.correlation >= 0.35
            title = "They move together" if good else "They do not move together"
            text = f"Correlation {found.correlation:.2f} over ten minutes."
            lines.append(("pass" if good else "info", title, text))
    shares = picture.shares.get(victim)
    if shares is not None and shares.wait_us > 0:
        limit = shares.limit_us / shares.wait_us
        title = "Not its own limit" if limit < 0.05 else "Its own limit is a part of it"
        text = f"{percent(limit)} of the wait, taken off before blaming."
        lines.append(("pass" if limit < 0.05 else "warning", title, text))
    if view.fact("/sys/fs/resctrl/schemata") is None:
        text = "Not measured: this host has no resctrl."
        lines.append(("unknown", "Cache and memory bandwidth", text))
    return lines


def matrix_of(picture: Picture) -> Matrix:
    """Victims, worst first, by culprits: sandboxes, the host's own, and what is nobody's fault."""
    view = picture.view
    order = np.argsort(-np.nan_to_num(picture.signals.waits))[:_MOST]
    victims = [view.sandboxes[int(n)] for n in order]
    cells: dict[tuple[str, str], float] = {}
    totals: dict[str, float] = {}
    names: dict[str, tuple[str, Group]] = {}
    for sandbox in victims:
        shares = picture.shares.get(sandbox.key)
        time_us = shares.run_us + shares.wait_us if shares else 0.0
        if shares is None or time_us <= 0:
            continue
        for item in shares.neighbours:
            actor = item.actor
            inside = actor.kind is ActorKind.SANDBOX
            name = actor_name(view, actor)
            key = actor.sandbox if inside else f"host:{name}"
            group = Group.SANDBOX if inside else Group.HOST
            names[key] = (name.partition(",")[0] if inside else name, group)
            cells[sandbox.key, key] = cells.get((sandbox.key, key), 0.0) + item.wait_us / time_us
            totals[key] = totals.get(key, 0.0) + item.wait_us / time_us
        for name, amount in (
            (_OTHERS, shares.others_us),
            (_LIMIT, shares.limit_us),
            (_ITSELF, shares.self_us),
            (_UNKNOWN, shares.unknown_us),
        ):
            cells[sandbox.key, name] = amount / time_us
    return _matrix(picture, cells, totals, names, [sandbox.key for sandbox in victims])


def _matrix(
    picture: Picture,
    cells: dict[tuple[str, str], float],
    totals: dict[str, float],
    names: dict[str, tuple[str, Group]],
    victims: list[str],
) -> Matrix:
    ordered = sorted(totals, key=lambda key: (names[key][1], -totals[key]))
    culprits = [Culprit(key, *names[key]) for key in ordered if totals[key] >= 0.001][:_MOST]
    culprits += [Culprit(name, name, Group.NOBODY) for name in (_OTHERS, _LIMIT, _ITSELF, _UNKNOWN)]
    shares = np.zeros((len(victims), len(culprits)), np.float32)
    for line, victim in enumerate(victims):
        idle = math.isnan(_waits(picture, victim))
        for place, culprit in enumerate(culprits):
            shares[line, place] = np.nan if idle else cells.get((victim, culprit.key), 0.0)
    view = picture.view
    return Matrix(
        tuple(Victim(key, view.by_key[key].name) for key in victims), tuple(culprits), shares
    )


def _waits(picture: Picture, key: str) -> float:
    for number, sandbox in enumerate(picture.view.sandboxes):
        if sandbox.key == key:
            return float(picture.signals.waits[number])
    return math.nan
