"""PGP wrapping of a layer's key, through gpg (there is no well-kept OpenPGP library for it).

Source: containers/ocicrypt, keywrap/pgp; RFC 4880, 4.2 (packets) and 5.1 (key ids).
"""

import contextlib
import re
import tempfile
from collections.abc import Iterator, Sequence
from pathlib import Path

from kataui import tools
from kataui.errors import KeyProblem
from kataui.files import clean
from kataui.images.jwe import NotForThisKey

_PURPOSE = "PGP recipients"
_PKESK = 1  # Public-Key Encrypted Session Key Packet
# no key is looked for on the network (gpg's default: Web Key Directory)
_BATCH = ("--batch", "--no-tty", "--quiet", "--no-auto-key-locate", "--disable-dirmngr")
_MAX_PLAIN_BYTES = 1 << 16  # a layer's key is 193 bytes; a message may inflate
_PROTECTED = re.compile(rb"^\tskey\[\d+\]: \[v\d protected\]", re.MULTILINE)


def wrap(users: Sequence[str], data: bytes) -> bytes:
    """One binary message for all users, whose public keys are in the user's own keyring.

    Raises ``NotPossibleHere`` without gpg, ``KeyProblem`` when it knows no key for a user.
    """
    gpg = tools.require("gpg", purpose=_PURPOSE)
    argv = [str(gpg), *_BATCH, "--trust-model", "always", "--encrypt"]
    argv += ["--cipher-algo", "AES256", "--compress-algo", "none"]
    for user in users:
        argv += ["--recipient", user]
    outcome = tools.run(argv, input_bytes=data)
    if outcome.status != 0 or not outcome.stdout:
        raise KeyProblem(
            f"gpg cannot encrypt for {clean(', '.join(users), limit=120)}: {outcome.problem()}.",
            hint="Import the public key first: gpg --import FILE",
        )
    return outcome.stdout


def require_user(user: str) -> None:
    """Raise when gpg is missing or knows no public key that can encrypt for ``user``."""
    gpg = tools.require("gpg", purpose=_PURPOSE)
    if user.startswith("-") or not user.strip():
        raise KeyProblem(f"{clean(user)!r} is no PGP user id.")
    listed = tools.run([str(gpg), *_BATCH, "--with-colons", "--list-keys", "--", user])
    if listed.status != 0:
        raise KeyProblem(
            f"gpg knows no public key for {clean(user, limit=120)}.",
            hint="Import it first: gpg --import FILE",
        )
    if not any(_encrypts(line) for line in listed.stdout.splitlines()):
        raise KeyProblem(
            f"The public key of {clean(user, limit=120)} cannot encrypt.",
            hint="It has expired, was revoked, or is for signing only; gpg --list-keys tells.",
        )


def _encrypts(line: bytes) -> bool:
    """Whether a line tells of a key that is usable for encryption (GnuPG, doc/DETAILS)."""
    fields = line.split(b":")
    return fields[0] == b"pub" and len(fields) > 11 and b"E" in fields[11]


def is_secret_key(data: bytes) -> bool:
    """Whether a file holds an exported secret key (armoured or binary)."""
    if data.startswith(b"-----BEGIN PGP PRIVATE KEY BLOCK-----"):
        return True
    return _tag(data[0]) == 5 if data and data[0] & 0x80 else False


def is_protected(secret_key: bytes) -> bool:
    """Whether an exported secret key needs a passphrase."""
    gpg = tools.require("gpg", purpose=_PURPOSE)
    with _keyring(gpg) as argv:
        shown = tools.run([*argv, "--list-packets"], input_bytes=secret_key)
    if shown.status != 0:
        raise KeyProblem(f"gpg cannot read the secret key: {shown.problem()}.")
    return _PROTECTED.search(shown.stdout) is not None


def _tag(first: int) -> int:
    return first & 0x3F if first & 0x40 else (first >> 2) & 0x0F


def unwrap(message: bytes, secret_key: bytes, passphrase: str | None) -> bytes:
    """Decrypt in a keyring of its own that is thrown away; raises ``NotForThisKey``."""
    gpg = tools.require("gpg", purpose=_PURPOSE)
    with _keyring(gpg) as argv:
        options = ["--pinentry-mode", "loopback", "--max-output", str(_MAX_PLAIN_BYTES)]
        secret = (passphrase or "").encode() + b"\n"
        with tempfile.TemporaryDirectory(prefix="kataui-gpg-") as folder:
            sealed = Path(folder) / "message"
            sealed.write_bytes(message)
            imported = tools.run([*argv, "--import"], input_bytes=secret_key)
            if imported.status != 0:
                raise KeyProblem(f"gpg cannot read the secret key: {imported.problem()}.")
            opened = tools.run(
                [*argv, *options, "--passphrase-fd", "0", "--decrypt", str(sealed)],
                input_bytes=secret,
            )
    if opened.status != 0 or not opened.stdout:
        raise NotForThisKey
    return opened.stdout


@contextlib.contextmanager
def _keyring(gpg: Path) -> Iterator[list[str]]:
    """A private keyring; its agent is stopped at the end."""
    with tempfile.TemporaryDirectory(prefix="kataui-gpg-") as home:
        try:
            yield [str(gpg), "--homedir", home, *_BATCH]
        finally:
            agent = tools.find("gpgconf")
            if agent is not None:
                tools.run([str(agent), "--homedir", home, "--kill", "all"])


def key_ids(message: bytes) -> list[str]:
    """The key ids that a message is for, in hexadecimal; empty when it cannot be read."""
    return [message[start + 1 : start + 9].hex().upper() for _, start, _ in _wrapped_keys(message)]


def without_recipient(message: bytes, number: int) -> bytes:
    """The message without the wrapped key of its recipient ``number`` (from 0)."""
    first, _, end = _wrapped_keys(message)[number]
    return message[:first] + message[end:]


def known_ids(user: str) -> list[str]:
    """The key ids, in hexadecimal, of a user's key and subkeys in the user's own keyring."""
    gpg = tools.require("gpg", purpose=_PURPOSE)
    require_user(user)
    listed = tools.run([str(gpg), *_BATCH, "--with-colons", "--list-keys", "--", user])
    fields = (line.split(b":") for line in listed.stdout.splitlines())
    return [item[4].decode("ascii", "replace") for item in fields if item[0] in {b"pub", b"sub"}]


def _wrapped_keys(message: bytes) -> list[tuple[int, int, int]]:
    """Where each wrapped session key lies: its packet's start, its body's start, its end."""
    found = []
    position = 0
    while position + 2 < len(message) and message[position] & 0x80:
        tag = _tag(message[position])
        size, start = _length(message, position)
        if tag != _PKESK or size < 10:
            break
        found.append((position, start, start + size))
        position = start + size
    return found


def _length(data: bytes, position: int) -> tuple[int, int]:
    """Body length and start of a packet, both header formats (RFC 4880, 4.2.1 and 4.2.2)."""
    first, one = data[position], data[position + 1]
    if not first & 0x40:
        width = (1, 2, 4, 0)[first & 3]
        start = position + 1 + width
        return int.from_bytes(data[position + 1 : start], "big"), start
    if one < 192:
        return one, position + 2
    if one < 224:
        return ((one - 192) << 8) + data[position + 2] + 192, position + 3
    return int.from_bytes(data[position + 2 : position + 6], "big"), position + 6
