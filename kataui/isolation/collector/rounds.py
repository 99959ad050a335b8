"""Facts in turn: each group, process and pod has its time; no single sample pays for all."""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence
from functools import partial

from kataui.isolation.collector import facts, namespaces

_MINUTE_S = 60.0
_POD_S = 600.0  # links and limits of a pod hardly ever change, and asking costs milliseconds
_BUDGET_S = 0.002  # a sample, after the first one


class Rounds:
    """Keeps what was told, and tells what is new."""

    def __init__(self, roots: tuple[str, str]) -> None:
        self._roots = roots
        self._known: dict[tuple[str, str], dict[str, str]] = {}
        self._due_s: dict[tuple[str, str], float] = {}
        self._begun = False

    def news(
        self, now_s: float, groups: Sequence[dict[str, object]], pids: Sequence[int]
    ) -> dict[str, str | None]:
        """What changed among the facts whose turn it is; ``groups`` are entities of cgroups."""
        wanted = self._wanted(groups, pids)
        found: dict[str, str | None] = {}
        for unit in [unit for unit in self._known if unit not in wanted]:
            found.update(dict.fromkeys(self._known.pop(unit)))
            self._due_s.pop(unit, None)
        begin_s = time.process_time()
        for unit, (read, period_s) in wanted.items():
            if self._due_s.get(unit, 0.0) > now_s:
                continue
            if self._begun and time.process_time() - begin_s > _BUDGET_S:
                break
            files = read()
            found.update(facts.changed(self._known.get(unit, {}), files))
            self._known[unit] = files
            self._due_s[unit] = now_s + period_s
        self._begun = True
        return found

    def _wanted(
        self, groups: Sequence[dict[str, object]], pids: Sequence[int]
    ) -> dict[tuple[str, str], tuple[Callable[[], dict[str, str]], float]]:
        """What there is to read, and how often."""
        proc, sys = self._roots
        wanted: dict[tuple[str, str], tuple[Callable[[], dict[str, str]], float]] = {
            ("host", ""): (partial(facts.files_of_host, proc, sys), _MINUTE_S)
        }
        for group in groups:
            folders = group["folders"]
            if isinstance(folders, dict):
                wanted["group", str(group["path"])] = (
                    partial(facts.files_of_group, folders, sys),
                    _MINUTE_S,
                )
        for pid in pids:
            wanted["process", str(pid)] = (
                partial(facts.files_of_process, proc, pid),
                _MINUTE_S,
            )
            if proc == "/proc":
                wanted["pod", str(pid)] = (partial(namespaces.pod_facts, pid), _POD_S)
        return wanted
