"""A file as it will be written: what an answer changed, and where findings stand."""

from collections.abc import Iterable, Sequence

from kataui.findings import Finding, Severity
from kataui.ui.widgets.codepane import CodePane, LineLook

_RANK = {Severity.ERROR: 0, Severity.WARNING: 1, Severity.INFO: 2}
_TINT = {Severity.ERROR: "fail.tint", Severity.WARNING: "", Severity.INFO: ""}


class CodeView(CodePane):
    """``show_changed`` and ``show_findings`` each keep what the other said."""

    def __init__(self, name: str) -> None:
        super().__init__(name)
        self._changed: frozenset[int] = frozenset()
        self._by = ""
        self._findings: Sequence[Finding] = ()

    @property
    def changed(self) -> frozenset[int]:
        """The lines that are shown as changed."""
        return self._changed

    def show_changed(self, lines: Iterable[int], by: str) -> None:
        """Tint the lines that the answer ``by`` changed, until the next answer."""
        self._changed, self._by = frozenset(lines), by
        self._look()

    def show_findings(self, findings: Sequence[Finding]) -> None:
        """Mark the lines at which findings stand; those of other files are the caller's."""
        self._findings = findings
        self._look()

    def _look(self) -> None:
        looks: dict[int, LineLook] = {}
        before = -1
        for line in sorted(self._changed):
            aside = f"changed by \u201c{self._by}\u201d" if line != before + 1 and self._by else ""
            looks[line] = LineLook(tint="changed", bar="changed_bar", aside=aside)
            before = line
        for line, findings in self._by_line().items():
            worst = min(findings, key=lambda finding: _RANK[finding.severity])
            kind = worst.severity.value if worst.checked else "unknown"
            look = looks.get(line, LineLook())
            looks[line] = LineLook(
                tint=look.tint or _TINT[worst.severity],
                bar=look.bar,
                mark=kind,
                says="\n".join(finding.message for finding in findings),
                aside=look.aside,
            )
        self.show_looks(looks)

    def _by_line(self) -> dict[int, list[Finding]]:
        found: dict[int, list[Finding]] = {}
        for finding in self._findings:
            if finding.location is not None and finding.location.line:
                found.setdefault(finding.location.line, []).append(finding)
        return found
