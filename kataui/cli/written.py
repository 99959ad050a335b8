"""What encrypt and decrypt say at the end."""

from collections.abc import Sequence

from kataui.cli.output import Output
from kataui.errors import ExitStatus
from kataui.files import clean
from kataui.findings import Finding


def written(output: Output, target: str, digest: str, findings: Sequence[Finding] = ()) -> int:
    """Say where the image is now, its digest, and what else is to be known."""
    output.line(f"Wrote {clean(target)}  {digest}")
    output.findings(findings)
    told = [finding.as_json() for finding in findings]
    output.value({"destination": target, "digest": digest, "findings": told})
    return ExitStatus.DONE
