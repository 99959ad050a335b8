"""What encrypt and decrypt say at the end."""

from kataui.cli.output import Output
from kataui.errors import ExitStatus
from kataui.files import clean


def written(output: Output, target: str, digest: str) -> int:
    """Say where the image is now, and its digest."""
    output.line(f"Wrote {clean(target)}  {digest}")
    output.value({"destination": target, "digest": digest})
    return ExitStatus.DONE
