"""Judging a whole store: summary, findings, and the report as a file."""

from pathlib import Path

from kataui.errors import KatauiError
from kataui.files import replace_file, write_new
from kataui.findings import Finding
from kataui.isolation.checks.all import findings_of, run_all
from kataui.isolation.checks.check import Scene
from kataui.isolation.history import History
from kataui.isolation.player import Player
from kataui.isolation.report import page
from kataui.isolation.store import Store
from kataui.isolation.summary import Summary, summarize
from kataui.progress import Control


def judge(store: Store, control: Control | None = None) -> tuple[Summary, list[Finding], History]:
    """The summary of a store, the findings at its worst moment, and every sandbox's history.

    Raises ``KatauiError`` when it is too short to judge, ``Cancelled``.
    """
    player = Player(store)
    length_us = max(1, player.end_us - player.begin_us)

    def on_time(at_us: int) -> None:
        if control is not None:
            control.check()
            control.report(f"Judging, {100 * (at_us - player.begin_us) // length_us} %", 0, 0)

    summary = summarize(player, on_time=on_time)
    if summary is None:
        raise KatauiError("This is too short to judge: two samples are needed.")
    findings = findings_of(run_all(Scene(summary.worst.view, summary.worst.span)))
    return summary, findings, player.analysis.history


def write_report(
    store: Store, path: Path, *, name: str, force: bool = False, control: Control | None = None
) -> Path:
    """Write the HTML report; raises ``DestinationProblem`` when the file exists."""
    summary, findings, history = judge(store, control)
    text = page(summary, findings, store, history=history, name=name).encode("utf-8")
    (replace_file if force else write_new)(path, text)
    return path
