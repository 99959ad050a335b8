"""All checks: the networking path first, then the IO path, then the base."""

from kataui.findings import Finding, by_severity
from kataui.isolation.checks import base, io, network
from kataui.isolation.checks.check import Check, Checked, Scene, run

CHECKS: tuple[Check, ...] = (*network.CHECKS, *io.CHECKS, *base.CHECKS)


def run_all(scene: Scene) -> list[Checked]:
    """Every check's outcome, in the order of ``CHECKS``."""
    return [run(check, scene) for check in CHECKS]


def findings_of(outcomes: list[Checked]) -> list[Finding]:
    """What was found: errors, warnings, notes; what could not be checked is last."""
    found = [finding for outcome in outcomes for finding in outcome.findings]
    checked = [finding for finding in found if finding.checked]
    return by_severity(checked) + [finding for finding in found if not finding.checked]
