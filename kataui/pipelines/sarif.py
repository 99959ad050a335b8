"""Findings as SARIF 2.1.0, which code hosts show beside the lines of a change.

Source: OASIS, Static Analysis Results Interchange Format (SARIF) Version 2.1.0, sections 3.13-3.28.
"""

import os
from collections.abc import Sequence
from pathlib import PurePath
from typing import Any
from urllib.parse import quote

import kataui
from kataui.findings import Finding, Severity

SCHEMA = (
    "https://docs.oasis-open.org/sarif/sarif/v2.1.0/errata01/os/schemas/sarif-schema-2.1.0.json"
)
_LEVELS = {Severity.ERROR: "error", Severity.WARNING: "warning", Severity.INFO: "note"}


def sarif(findings: Sequence[Finding]) -> dict[str, Any]:
    """One SARIF log with one run. Results keep the order of the findings.

    What could not be checked is of kind ``review`` (3.27.9: a person has to look), whose level
    must then be ``none``; everything else is of kind ``fail``.
    """
    rules = list(dict.fromkeys(finding.id for finding in findings))
    return {
        "$schema": SCHEMA,
        "version": "2.1.0",
        "runs": [
            {
                "tool": {
                    "driver": {
                        "name": "kataui",
                        "version": kataui.__version__,
                        "rules": [_rule(rule, findings) for rule in rules],
                    }
                },
                "columnKind": "unicodeCodePoints",
                "results": [_result(finding, rules.index(finding.id)) for finding in findings],
            }
        ],
    }


def _rule(rule: str, findings: Sequence[Finding]) -> dict[str, Any]:
    first = next(finding for finding in findings if finding.id == rule)
    why = {"fullDescription": {"text": first.why}} if first.why else {}
    return {"id": rule, **why, "defaultConfiguration": {"level": _LEVELS[first.severity]}}


def _result(finding: Finding, index: int) -> dict[str, Any]:
    text = " ".join(filter(None, (finding.message, finding.why, finding.fix)))
    kind, level = ("fail", _LEVELS[finding.severity]) if finding.checked else ("review", "none")
    result: dict[str, Any] = {
        "ruleId": finding.id,
        "ruleIndex": index,
        "kind": kind,
        "level": level,
        "message": {"text": text},
        "properties": {"subject": finding.subject, "severity": finding.severity.value},
    }
    place = finding.location
    if place is not None:
        physical: dict[str, Any] = {"artifactLocation": {"uri": _uri(place.file)}}
        if place.line:
            physical["region"] = {"startLine": place.line}
        where: dict[str, Any] = {"physicalLocation": physical}
        if place.field:
            where["logicalLocations"] = [{"fullyQualifiedName": place.field}]
        result["locations"] = [where]
    return result


def _uri(file: str) -> str:
    """A relative reference as it is, an absolute path as ``file:`` (RFC 3986, RFC 8089)."""
    text = quote(os.fsencode(PurePath(file).as_posix()), safe="/~")
    return f"file://{text}" if text.startswith("/") else text
