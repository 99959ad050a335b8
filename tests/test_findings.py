"""Findings: their order and their JSON."""

import json

from kataui.findings import Finding, Location, Severity, Verdict, by_severity


def _finding(name: str, severity: Severity) -> Finding:
    return Finding(name, severity, "layer 1", "message")


def test_errors_come_first_and_equals_keep_their_order() -> None:
    findings = [
        _finding("a", Severity.INFO),
        _finding("b", Severity.ERROR),
        _finding("c", Severity.WARNING),
        _finding("d", Severity.ERROR),
    ]

    assert [finding.id for finding in by_severity(iter(findings))] == ["b", "d", "c", "a"]


def test_a_finding_as_json_has_every_field() -> None:
    place = Location("pod.yaml", 3, "spec.containers")
    finding = Finding(
        "IMG-X", Severity.WARNING, "it", "what", "why", "fix", "undo", place, checked=False
    )

    assert json.loads(json.dumps(finding.as_json())) == {
        "id": "IMG-X",
        "severity": "warning",
        "subject": "it",
        "message": "what",
        "why": "why",
        "fix": "fix",
        "undo": "undo",
        "location": {"file": "pod.yaml", "line": 3, "field": "spec.containers"},
        "checked": False,
    }


def test_a_finding_without_a_place_has_null() -> None:
    shown = _finding("a", Severity.INFO).as_json()

    assert shown["location"] is None
    assert shown["checked"] is True


def test_verdicts_are_the_words_of_the_command_line() -> None:
    assert [verdict.value for verdict in Verdict] == ["pass", "fail", "unknown"]
