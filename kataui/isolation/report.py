"""The report of a recording: one HTML file that needs nothing else, with pictures as evidence."""

import datetime as dt
import html
from collections.abc import Iterable, Sequence

import numpy as np

from kataui.files import clean
from kataui.findings import Finding, Severity, Verdict
from kataui.isolation.accuse import percent
from kataui.isolation.history import History
from kataui.isolation.store import Store
from kataui.isolation.stream import Array
from kataui.isolation.summary import SandboxSummary, Summary

_MOST_STRIPS = 30
_COLUMNS = 240
_EDGES = (0.005, 0.01, 0.02, 0.05, 0.10, 0.20)
_HEAT = ("#F1F3F6", "#FCEBC5", "#FBCF86", "#F4A64B", "#DE7526", "#B4480F", "#7A2A0A")
_MARK = {Verdict.PASS: "✓ Pass", Verdict.FAIL: "✗ Fail", Verdict.UNKNOWN: "? Unknown"}
_SEVERITY = {Severity.ERROR: "✗", Severity.WARNING: "!", Severity.INFO: "i"}
_PAGE = """<!doctype html>
<html lang="en"><head><meta charset="utf-8"><title>{title}</title>
<style>
body {{ font: 15px/1.45 system-ui, sans-serif; color: #15181E; max-width: 60em; margin: 2em auto;
  padding: 0 1em }}
h1 {{ font-size: 1.5em }} h2 {{ font-size: 1.15em; margin-top: 2em }}
table {{ border-collapse: collapse; width: 100% }}
th, td {{ text-align: left; padding: .35em .8em .35em 0; border-bottom: 1px solid #DCE0E6 }}
td.n, th.n {{ text-align: right }} .v {{ font-weight: 600 }} .f {{ color: #A92C0B }}
.p {{ color: #00705A }} small, .s {{ color: #5E6673 }}
pre {{ background: #F0F2F5; padding: .6em; overflow: auto; white-space: pre-wrap }}
svg {{ display: block; width: 100% }}
</style></head><body>
<h1>{title}</h1><p class="s">{facts}</p>
<p class="v {tone}">{mark}: {headline}</p><p><b>{sentence}</b></p><p class="s">{scope}</p>
<h2>Waiting over time</h2>{strips}
<h2>Sandboxes at their worst</h2>{sandboxes}
<h2>Findings</h2>{findings}
<p><small>{footer}</small></p>
</body></html>
"""


def page(
    summary: Summary,
    findings: Sequence[Finding],
    store: Store,
    *,
    history: History,
    name: str,
) -> str:
    """The whole report as HTML; every text from outside is escaped."""
    head = store.head
    begin, end = store.segments[0], store.segments[-1]
    length_s = (end.end_us - begin.begin_us) / 1e6
    when = dt.datetime.fromtimestamp(begin.wall_us / 1e6, dt.UTC).strftime("%Y-%m-%d %H:%M UTC")
    facts = [
        summary.worst.view.name,
        f"kernel {_text(head.get('kernel'))}",
        f"{_text(head.get('cpus'))} CPUs",
        when,
        f"{length_s:.0f} s",
    ]
    if head.get("synthetic"):
        facts.append("synthetic: made by a generator, not measured")
    judgement = summary.judgement
    return _PAGE.format(
        title=html.escape(f"Isolation: {clean(name)}"),
        facts=html.escape(" · ".join(facts)),
        tone={Verdict.FAIL: "f", Verdict.PASS: "p"}.get(summary.verdict, ""),
        mark=_MARK[summary.verdict],
        headline=html.escape(judgement.headline),
        sentence=html.escape(judgement.sentence),
        scope=html.escape(judgement.scope),
        strips=_strips(summary, history),
        sandboxes=_sandboxes(summary.sandboxes),
        findings=_findings(findings),
        footer=html.escape(
            f"Made by kataui {_text(head.get('kataui'))} from the kernel's counters."
        ),
    )


def _text(value: object) -> str:
    return clean(str(value), limit=80) if value is not None else "unknown"


def _strips(summary: Summary, history: History) -> str:
    """One heat strip a sandbox, worst first, as one SVG."""
    rows = [item for item in summary.sandboxes if item.sandbox.key in history.keys][:_MOST_STRIPS]
    if not rows:
        return "<p>Nothing was measured.</p>"
    parts = []
    for number, item in enumerate(rows):
        values = folded(history.last(item.sandbox.key, "waits", history.count), _COLUMNS)
        y = 22 * number
        label = html.escape(item.sandbox.name)
        parts.append(f'<text x="0" y="{y + 14}" font-size="12">{label}</text>')
        parts += [
            f'<rect x="{220 + 3 * column}" y="{y}" width="3" height="18" fill="{_colour(value)}"/>'
            for column, value in enumerate(values)
        ]
    legend = ", ".join(f"from {percent(edge)}" for edge in _EDGES)
    width, height = 220 + 3 * _COLUMNS, 22 * len(rows)
    return (
        f'<svg viewBox="0 0 {width} {height}" role="img" aria-label="waiting of each sandbox over '
        f'time">{"".join(parts)}</svg><p class="s">Share of CPU time that the vCPUs wait to run; '
        f"darker {legend}. White: not measured.</p>"
    )


def folded(values: Array, columns: int) -> Array:
    """A series as at most so many columns, the highest value of each; NaN where all are."""
    if len(values) <= columns:
        return values
    edges = np.linspace(0, len(values), columns + 1).astype(int)
    result = np.full(columns, np.nan)
    for column in range(columns):
        part = values[edges[column] : edges[column + 1]]
        if not np.isnan(part).all():
            result[column] = np.nanmax(part)
    return result


def _colour(value: float) -> str:
    if value != value:  # noqa: PLR0124 - NaN
        return "#FFFFFF"
    return _HEAT[int(np.searchsorted(_EDGES, value, "right"))]


def _table(header: Sequence[tuple[str, str]], rows: Iterable[Sequence[str]]) -> str:
    head = "".join(f'<th class="{kind}">{html.escape(name)}</th>' for name, kind in header)
    body = "".join(
        "<tr>"
        + "".join(
            f'<td class="{kind}">{html.escape(cell)}</td>'
            for cell, (_, kind) in zip(row, header, strict=True)
        )
        + "</tr>"
        for row in rows
    )
    return f"<table><tr>{head}</tr>{body}</table>"


def _sandboxes(rows: Sequence[SandboxSummary]) -> str:
    header = [
        ("Sandbox", ""),
        ("Score", "n"),
        ("Measured", "n"),
        ("Waits", "n"),
        ("Because of", ""),
    ]
    return _table(
        header,
        [
            [
                item.sandbox.name,
                "-" if item.points is None else f"{item.points:.0f}",
                percent(item.coverage),
                "-" if item.waits is None else percent(item.waits),
                ", ".join(f"{actor} {percent(share)}" for actor, share, _ in item.blame[:3])
                or "nobody",
            ]
            for item in rows
        ],
    )


def _findings(findings: Sequence[Finding]) -> str:
    parts = []
    for item in findings:
        if not item.checked:
            continue
        mark = _SEVERITY[item.severity]
        parts.append(f"<h3>{mark} {html.escape(item.message)}</h3>")
        parts.append(f"<p>{html.escape(item.why)} <small>{html.escape(item.id)}</small></p>")
        if item.fix:
            parts.append(f"<pre>{html.escape(item.fix)}</pre>")
        if item.undo:
            parts.append(f"<p class='s'>Undo: {html.escape(item.undo)}</p>")
    unknown = sum(not item.checked for item in findings)
    if unknown:
        parts.append(f"<p class='s'>{unknown} checks could not be made.</p>")
    return "".join(parts) or "<p>Nothing was found.</p>"
