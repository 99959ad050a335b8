"""Who hurts whom: the matrix, and the evidence for the cell that is chosen."""

import math

import numpy as np
from PySide6.QtCore import Signal
from PySide6.QtWidgets import QVBoxLayout, QWidget

from kataui.isolation.accuse import actor_name
from kataui.isolation.analysis import Picture
from kataui.isolation.layout import ActorKind
from kataui.ui.isolation.evidence import Evidence, accusation
from kataui.ui.isolation.heat import HeatLegend
from kataui.ui.isolation.matrixmodel import Culprit, Group, Matrix, Victim
from kataui.ui.isolation.matrixview import MatrixView
from kataui.ui.widgets.card import Card
from kataui.ui.widgets.page import Columns

_LIMIT, _ITSELF, _OTHERS, _UNKNOWN = "own limit", "itself", "others", "unknown"
_MOST = 40
_NUMBER = 0.005  # from here on a cell has a number
_LATELY_S = 30.0


class WhoHurts(QWidget):
    """``opened`` gives the victim's key, ``fix`` asks for the findings, ``measure`` for A and B."""

    opened = Signal(str)
    fix = Signal()
    measure = Signal()

    def __init__(self) -> None:
        super().__init__()
        self._picture: Picture | None = None
        self._seen: dict[str, float] = {}
        self.matrix = MatrixView()
        self.matrix.opened.connect(lambda victim, _culprit: self.opened.emit(victim))
        self.matrix.current_changed.connect(lambda *_: self._explain())
        note = "waiting, % of CPU time, last 10 seconds · arrows move, Enter opens"
        left = Card("Who waits, because of whom", note=note)
        left.body.addWidget(self.matrix, 1)
        left.body.addWidget(HeatLegend("", "cannot tell"))
        self._evidence = Evidence()
        self._evidence.fix.connect(self.fix)
        self._evidence.measure.connect(self.measure)
        right = Card()
        right.body.addWidget(self._evidence, 1)
        columns = Columns(shares=(7, 3), narrow_u=200)
        columns.left.addWidget(left)
        columns.right.addWidget(right)
        layout = QVBoxLayout(self)
        layout.setContentsMargins(0, 0, 0, 0)
        layout.addWidget(columns)

    def show_picture(self, picture: Picture, _analysis: object) -> None:
        """A new moment."""
        self._picture = picture
        self.matrix.set_matrix(matrix_of(picture, self._seen))
        self._explain()

    def to_csv(self) -> str:
        """The matrix as it is shown: fractions of CPU time; empty where it cannot be told."""
        return self.matrix.to_csv()

    def _explain(self) -> None:
        """The evidence for the chosen cell."""
        chosen, picture = self.matrix.current(), self._picture
        if chosen is None or picture is None:
            self._evidence.show_nothing("")
        else:
            found = accusation(picture, *chosen)
            self._evidence.show_cell(picture, chosen[0], found, self.matrix.words())


def matrix_of(picture: Picture, seen: dict[str, float] | None = None) -> Matrix:
    """Victims, worst first, by culprits: sandboxes, the host's own, and what is nobody's fault.

    Columns without a number are left out; one that had a number lately (``seen``, which is
    written: key to seconds) stays, so that columns do not come and go.
    """
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
    shown = _worth(cells, picture.time_s, {} if seen is None else seen)
    culprits = _columns(shown, totals, names)
    return _matrix(picture, cells, culprits, [sandbox.key for sandbox in victims])


def _columns(
    shown: set[str], totals: dict[str, float], names: dict[str, tuple[str, Group]]
) -> list[Culprit]:
    """The columns that are shown: those that hurt most first in each group."""
    culprits = [
        Culprit(key, *names[key])
        for key in sorted(totals, key=lambda key: (names[key][1], -totals[key]))
        if key in shown
    ]
    culprits = culprits[:_MOST]
    fixed = {_LIMIT, _UNKNOWN}
    culprits += [
        Culprit(name, name, Group.NOBODY)
        for name in (_OTHERS, _LIMIT, _ITSELF, _UNKNOWN)
        if name in shown or name in fixed
    ]
    return culprits


def _worth(cells: dict[tuple[str, str], float], time_s: float, seen: dict[str, float]) -> set[str]:
    """The columns that have a number now, or had one in the last half minute."""
    for (_, culprit), share in cells.items():
        if share >= _NUMBER:
            seen[culprit] = time_s
    return {key for key, last_s in seen.items() if abs(time_s - last_s) <= _LATELY_S}


def _matrix(
    picture: Picture,
    cells: dict[tuple[str, str], float],
    culprits: list[Culprit],
    victims: list[str],
) -> Matrix:
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
