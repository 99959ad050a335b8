"""What is looked at beside typing, in a worker: the checks, and what each pod boots. No Qt."""

from collections.abc import Sequence
from dataclasses import dataclass

from kataui.findings import Finding, Severity
from kataui.pipelines.checks import Options, check_rendered
from kataui.pipelines.model import Rendered
from kataui.pipelines.running import PodSize, sizes_of
from kataui.progress import Control


@dataclass(frozen=True, slots=True)
class Examined:
    """Findings in their order, and the size of every Kata pod."""

    findings: tuple[Finding, ...] = ()
    sizes: tuple[PodSize, ...] = ()


def examine(rendered: Rendered, options: Options, control: Control) -> Examined:
    """Check the files, and tell what runs. Raises ``Cancelled``."""
    control.check()
    findings = tuple(check_rendered(rendered, options))
    control.check()
    return Examined(findings, sizes_of(rendered))


def verdict(findings: Sequence[Finding]) -> str:
    """``fail`` for an error, ``unknown`` when something could not be checked, else ``pass``."""
    if any(finding.severity is Severity.ERROR for finding in findings):
        return "fail"
    return "pass" if all(finding.checked for finding in findings) else "unknown"
