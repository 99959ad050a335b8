"""Commands for people to copy: this program's own, and those of others that check its work."""

import shlex
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from kataui.images.model import Digest
from kataui.images.signatures import signature_tag


def shell_line(words: Sequence[str]) -> str:
    """One command as a shell reads it back."""
    return shlex.join(words)


@dataclass(frozen=True, slots=True)
class Written:
    """What was written where: a layout or archive at ``path`` under ``tag``."""

    path: Path
    is_archive: bool
    tag: str
    identity: str
    signed: tuple[Digest, ...]

    @property
    def reference(self) -> str:
        """How containers/image names it."""
        return f"{'oci-archive' if self.is_archive else 'oci'}:{self.path}:{self.tag}"

    def push_commands(self) -> list[str]:
        """Commands that push image and signatures without changing a digest.

        ``skopeo copy`` of an OCI layout leaves signatures behind, so each signature image is
        pushed under the tag where cosign looks for it.
        """
        transport = "oci-archive" if self.is_archive else "oci"
        copies = [(self.reference, f"{self.identity}:{self.tag}")]
        for digest in self.signed:
            name = signature_tag(digest)
            copies.append((f"{transport}:{self.path}:{name}", f"{self.identity}:{name}"))
        return [
            shell_line(
                ["skopeo", "copy", "--all", "--preserve-digests", source, f"docker://{target}"]
            )
            for source, target in copies
        ]

    def check_commands(self, public_key: str, private_key: str) -> list[str]:
        """Commands of other people's tools that check the result."""
        commands = []
        if not self.is_archive:
            commands.append(
                shell_line(
                    [
                        *("cosign", "verify", "--key", public_key),
                        *("--insecure-ignore-tlog=true", "--local-image", str(self.path)),
                    ]
                )
            )
        if private_key and not private_key.startswith("kbs:"):
            opened = ["--decryption-key", private_key, self.reference, "dir:opened"]
            commands.append(shell_line(["skopeo", "copy", *opened]))
        return commands
