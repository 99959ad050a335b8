"""Slots for what is watched, and the news about them that goes into the stream."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Dict

from kataui.isolation.collector.tables import SPACES

if TYPE_CHECKING:
    Attributes = Dict[str, Any]  # what JSON can hold


class Entities:
    """Gives each entity a slot in its space; slots of the dead are given again."""

    def __init__(self) -> None:
        self._live: dict[str, dict[int, Attributes]] = {space: {} for space in SPACES}
        self._free: dict[str, list[int]] = {space: [] for space in SPACES}
        self._next = dict.fromkeys(SPACES, 0)
        self._added: dict[tuple[str, int], Attributes] = {}
        self._changed: dict[tuple[str, int], Attributes] = {}
        self._removed: list[tuple[str, int]] = []

    def add(self, space: str, attributes: Attributes) -> int:
        """A slot for a new entity."""
        free = self._free[space]
        if free:
            slot = free.pop()
        else:  # not len(live): slots of the dead are free only after the next news
            slot = self._next[space]
            self._next[space] += 1
        self._live[space][slot] = attributes
        self._added[space, slot] = attributes
        return slot

    def change(self, space: str, slot: int, attributes: Attributes) -> None:
        """An entity's attributes are others now; nothing happens when they are the same."""
        if self._live[space][slot] == attributes:
            return
        self._live[space][slot] = attributes
        if (space, slot) in self._added:
            self._added[space, slot] = attributes
        else:
            self._changed[space, slot] = attributes

    def remove(self, space: str, slot: int) -> None:
        """An entity is gone; its slot is given again from the next news on."""
        del self._live[space][slot]
        self._changed.pop((space, slot), None)
        self._added.pop((space, slot), None)
        self._removed.append((space, slot))

    def get(self, space: str, slot: int) -> Attributes:
        """An entity's attributes."""
        return self._live[space][slot]

    def all(self, space: str) -> list[Attributes]:
        """The attributes of everything in a space."""
        return list(self._live[space].values())

    def rows(self, space: str) -> int:
        """How many rows a table of the space has: one more than the highest slot in use."""
        live = self._live[space]
        return max(live) + 1 if live else 0

    def news(self) -> dict[str, list[list[object]]] | None:
        """What happened since the last call, as the stream's E record holds it; None if nothing."""
        if not (self._added or self._changed or self._removed):
            return None
        news: dict[str, list[list[object]]] = {
            "remove": [[space, slot] for space, slot in self._removed],
            "add": [[space, slot, given] for (space, slot), given in self._added.items()],
            "change": [[space, slot, given] for (space, slot), given in self._changed.items()],
        }
        for space, slot in self._removed:
            if slot not in self._live[space]:
                self._free[space].append(slot)
        self._added, self._changed, self._removed = {}, {}, []
        return news

    def whole(self) -> dict[str, list[list[object]]]:
        """Everything, as the stream's K record holds it."""
        everything = {
            space: [[slot, given] for slot, given in live.items()]
            for space, live in self._live.items()
        }
        self.news()
        return everything
