"""What the command line prints: results, findings, progress, problems."""

import json
import shutil
import sys
from collections.abc import Iterable, Iterator, Sequence
from typing import Any

from kataui.errors import ExitStatus, KatauiError
from kataui.files import clean, size_text
from kataui.findings import Finding, Verdict
from kataui.progress import Control, Progress

STATUS_OF = {
    Verdict.PASS: ExitStatus.DONE,
    Verdict.FAIL: ExitStatus.FAIL,
    Verdict.UNKNOWN: ExitStatus.NOT_POSSIBLE,
}


class Output:
    """Prints for people, or one JSON document for programs."""

    def __init__(self, *, as_json: bool) -> None:
        self.as_json = as_json
        self._progress_shown = False

    def control(self) -> Control:
        """A control that shows progress on a terminal."""
        return Control(self._progress if sys.stderr.isatty() else None)

    def _progress(self, progress: Progress) -> None:
        width = shutil.get_terminal_size().columns - 1
        text = progress.step
        if progress.total_bytes:
            share = progress.done_bytes / progress.total_bytes
            done, total = size_text(progress.done_bytes), size_text(progress.total_bytes)
            text += f"  {share:4.0%}  {done} of {total}"
        sys.stderr.write(f"\r\x1b[K{text[:width]}")
        sys.stderr.flush()
        self._progress_shown = True

    def _end_progress(self) -> None:
        if self._progress_shown:
            sys.stderr.write("\r\x1b[K")
            self._progress_shown = False

    def value(self, value: Any) -> None:
        """The JSON document, when one was asked for."""
        self._end_progress()
        if self.as_json:
            print(json_text(value))

    def line(self, text: str = "") -> None:
        """A line for people; text from outside is already cleaned."""
        self._end_progress()
        if not self.as_json:
            print(text)

    def lines(self, texts: Iterable[str]) -> None:
        """Several lines for people."""
        for text in texts:
            self.line(text)

    def table(self, header: Sequence[str], rows: Sequence[Sequence[str]]) -> None:
        """A table with columns as wide as their text."""
        if not self.as_json:
            self.lines(_table([header, *rows]))

    def verdict(self, verdict: Verdict, sentence: str) -> None:
        """The verdict and its sentence."""
        self.line(f"{verdict.value.upper()}  {sentence}")

    def findings(self, findings: Iterable[Finding]) -> None:
        """Findings, one or two lines each."""
        for finding in findings:
            mark = "?" if not finding.checked else {"error": "x", "warning": "!", "info": "i"}
            shown = mark if isinstance(mark, str) else mark[finding.severity.value]
            self.line(f"  {shown} {finding.id:<18} {clean(finding.message, limit=400)}")
            leak = finding.subject if finding.id == "IMG-LEAK-SECRET" else ""
            for text in (leak, finding.why, finding.fix):
                for line in text.splitlines():
                    self.line(f"    {'':<18} {clean(line, limit=400)}")

    def problem(self, error: KatauiError) -> None:
        """An error: a sentence and a hint."""
        self._end_progress()
        if self.as_json:
            print(json.dumps({"error": {"message": error.message, "hint": error.hint}}))
            return
        print(f"kataui: {error.message}", file=sys.stderr)
        if error.hint:
            print(f"  {error.hint}", file=sys.stderr)


def json_text(value: Any) -> str:
    """JSON for people's eyes, too; file names that are no text are written with escapes."""
    text = json.dumps(value, indent=2, ensure_ascii=False)
    try:
        text.encode()
    except UnicodeEncodeError:
        return json.dumps(value, indent=2)
    return text


def _table(rows: Sequence[Sequence[str]]) -> Iterator[str]:
    widths = [max(len(row[column]) for row in rows) for column in range(len(rows[0]))]
    for row in rows:
        cells = (text.ljust(width) for text, width in zip(row, widths, strict=True))
        yield "  ".join(cells).rstrip()
