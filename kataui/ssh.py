"""The user's own ssh: how it is called, and what its failures mean.

Sources: ssh(1), ssh_config(5), and the messages of OpenSSH, which are not translated.
"""

import re
from collections.abc import Sequence

from kataui import tools
from kataui.errors import ExitStatus, KatauiError
from kataui.files import clean

_OPTIONS = {
    "ServerAliveInterval": "5",
    "ServerAliveCountMax": "3",
    "ConnectTimeout": "15",
    "ClearAllForwardings": "yes",  # those of the user's config are meant for other sessions
    "RemoteCommand": "none",
    "LogLevel": "INFO",  # its messages are what we explain
}
# A host name that a ProxyCommand of the user's config would give to a shell stays harmless
# (CVE-2023-51385).
_HOST = re.compile(r"(?:[A-Za-z0-9_][\w.+@-]*@)?(?:[A-Za-z0-9_:][\w.:-]*(?:%[\w.-]+)?)", re.ASCII)
_FAILED = 255  # of ssh itself; other statuses are the remote command's


class SshProblem(KatauiError):
    """ssh could not do it. ``again``: the same attempt may work later."""

    exit_status = ExitStatus.NOT_POSSIBLE

    def __init__(self, message: str, *, hint: str = "", again: bool = False) -> None:
        super().__init__(message, hint=hint)
        self.again = again


def checked_host(text: str) -> str:
    """``HOST``, ``USER@HOST`` or an alias of the user's config; raises ``KatauiError``."""
    if not _HOST.fullmatch(text):
        message = f"“{clean(text, limit=80)}” is no host for ssh."
        raise KatauiError(message, hint="Write ssh:HOST or ssh:USER@HOST.")
    return text


def argv(host: str, command: str, *, batch: bool) -> list[str]:
    """The call that runs ``command`` (for the remote shell) on ``host`` without a terminal.

    ``batch``: ssh asks nothing and fails instead. Raises ``KatauiError`` for a host that is none,
    ``NotPossibleHere`` when ssh is missing.
    """
    program = tools.require("ssh", purpose="Looking at another host")
    options = {**_OPTIONS, "BatchMode": "yes" if batch else "no"}
    given = [part for name, value in options.items() for part in ("-o", f"{name}={value}")]
    return [str(program), "-T", *given, "--", checked_host(host), command]


def problem(host: str, status: int, words: Sequence[str], *, batch: bool) -> SshProblem:
    """Why a call failed, from its exit status and last lines on standard error."""
    said = "\n".join(words)
    last = clean(words[-1]) if words else f"ssh ended with status {status}"
    if status != _FAILED:
        return SshProblem(f"The command on {host} failed ({last}).", again=True)
    if "REMOTE HOST IDENTIFICATION HAS CHANGED" in said:
        return SshProblem(
            f"{host} shows another host key than before: it was installed anew, or somebody is "
            "in between.",
            hint=f"Ask its owner; if it is right: ssh-keygen -R {host.rpartition('@')[2]}",
        )
    if "Host key verification failed" in said:
        return SshProblem(
            f"The host key of {host} is not known here and was not confirmed.",
            hint=f"Log in once with “ssh {host}” and compare the fingerprint.",
        )
    if "Permission denied (" in said or "Too many authentication failures" in said:
        why = " without a question being asked" if batch else ""
        return SshProblem(
            f"{host} refused the login{why}.",
            hint=f"Try “ssh {host}” in a terminal; check the user, the key and the agent.",
        )
    if "Could not resolve hostname" in said:
        return SshProblem(
            f"The host {host} is not known.", hint="Check the name, or ~/.ssh/config.", again=True
        )
    return SshProblem(
        f"There is no line to {host} ({last}).",
        hint="Check that it is on, and that sshd answers there.",
        again=True,
    )
