"""Restoring a key from its backup file, its printed lines, or its shares.

Sources are files: a backup file, its page, a text file with the lines or codes of the page, cards
of shares, or text files with their words. ``keybackup`` says what each of them holds.
"""

from collections.abc import Sequence
from contextlib import suppress
from dataclasses import dataclass, field, replace
from pathlib import Path

from cryptography.hazmat.primitives.asymmetric import ec, rsa

from kataui import files
from kataui.errors import DestinationProblem, KatauiError, KeyProblem
from kataui.files import clean
from kataui.images import keystate
from kataui.images.kbs import KEY_BYTES as BROKER_BYTES
from kataui.images.keyfiles import load_private
from kataui.images.keylines import from_lines, has_lines
from kataui.images.keymaking import KeyInfo, describe_key, public_pem
from kataui.images.keypages import read_page
from kataui.images.keys import AskPassphrase
from kataui.images.keysealed import (
    ID_BYTES,
    KEY_BYTES,
    KeyFiles,
    Sealed,
    open_with_key,
    open_with_passphrase,
    parse_sealed,
)
from kataui.images.keysplit import Share, combine, read_shares

PROMPT = "Passphrase of the backup"
_MAX_BYTES = 4 << 20


@dataclass(frozen=True, slots=True)
class Sources:
    """What was read: at most one backup, any number of shares.

    ``fingerprint`` is that which the backup or the cards name; empty when none does.
    """

    backup: Sealed | None = None
    shares: tuple[Share, ...] = field(default=(), repr=False)
    fingerprint: str = ""

    @property
    def needs_passphrase(self) -> bool:
        """Whether a passphrase will be asked for."""
        return self.backup is not None and not self.shares


@dataclass(frozen=True, slots=True)
class Restored:
    """The files that were written, and what the key is; ``name`` is that of the lost file."""

    private: Path
    public: Path | None
    info: KeyInfo
    name: str = ""


def read_sources(paths: Sequence[Path]) -> Sources:
    """Read what a key is to be restored from; raises ``KeyProblem`` that says what a file is."""
    found = Sources()
    lines: list[str] = []
    for path in paths:
        data = _read(path)
        name = clean(path.name)
        if data.lstrip()[:1] == b"{":
            found = _with_backup(found, parse_sealed(data, name))
            continue
        text = data.decode("utf-8", "replace")
        page = read_page(text)
        text, mark = page or (text, "")
        if has_lines(text):
            lines.append(text)
        else:
            shares = read_shares(text, name)
            if not shares:
                raise KeyProblem(f"{name} holds no backup, no lines of one and no words.")
            found = _named(replace(found, shares=(*found.shares, *shares)), mark, name)
    if lines:  # they may be spread over several files
        backup = parse_sealed(from_lines("\n".join(lines)), "the backup in the lines")
        found = _with_backup(found, backup)
    return found


def _read(path: Path) -> bytes:
    try:
        return files.read_bounded(path, limit_bytes=_MAX_BYTES, what="the backup")
    except KatauiError as error:
        raise KeyProblem(error.message, hint=error.hint) from error


def _with_backup(found: Sources, backup: Sealed) -> Sources:
    if found.backup is not None and found.backup != backup:
        raise KeyProblem("These are two different backups.", hint="Give one of them.")
    return _named(replace(found, backup=backup), backup.header.fingerprint, "the backup")


def _named(found: Sources, mark: str, name: str) -> Sources:
    if found.fingerprint and mark and found.fingerprint != mark:
        raise KeyProblem(
            f"{name} belongs to another key than what was given before it.",
            hint="Compare the words of the fingerprint on both.",
        )
    return replace(found, fingerprint=found.fingerprint or mark)


def open_sources(sources: Sources, ask: AskPassphrase) -> KeyFiles:
    """The key that the sources hold; ``ask`` is called when a passphrase is needed.

    Raises ``KeyProblem``: a wrong passphrase, changed bytes, too few shares, or shares of another
    backup.
    """
    backup = sources.backup
    if sources.shares:
        return _from_secret(combine(sources.shares), backup)
    if backup is None:
        raise KeyProblem("There is nothing to restore from.", hint="Give a backup, or shares.")
    if not backup.has_passphrase:
        raise KeyProblem(
            f"Only shares open this backup: {backup.header.split} of them.",
            hint="Give the cards of the shares beside it.",
        )
    passphrase = ask(PROMPT)
    if passphrase is None:
        raise KeyProblem("The backup needs its passphrase.", hint="Use --passphrase-file F.")
    return open_with_passphrase(backup, passphrase)


def _from_secret(secret: bytes, backup: Sealed | None) -> KeyFiles:
    """What shares hold tells by its length what it is."""
    if len(secret) == BROKER_BYTES:
        if backup is not None and backup.header.kind != "kbs":
            raise KeyProblem("The shares hold a key of their own; they do not open this backup.")
        return KeyFiles("", secret)
    if len(secret) != ID_BYTES + KEY_BYTES:
        raise KeyProblem("The shares hold something else than a key of kataui's.")
    number = secret[:ID_BYTES].hex()
    if backup is None:
        raise KeyProblem(
            f"The shares open the backup file {number}, which was not given.",
            hint="Give it, or its page or lines, beside the shares.",
        )
    if backup.header.id != number:
        raise KeyProblem(
            f"The shares are for the backup {number}, not for {clean(backup.header.id)}.",
            hint="Look at the number of the backup on the page and on the cards.",
        )
    return open_with_key(backup, secret[ID_BYTES:])


def restore(paths: Sequence[Path], out: Path, ask: AskPassphrase) -> Restored:
    """Write the key file (0600), and its public half beside it where that is known and missing.

    The fingerprint is checked before anything is there. The key counts as restored from then on.
    Raises ``KeyProblem``; ``DestinationProblem`` when ``out`` exists.
    """
    if files.is_there(out):
        msg = f"{clean(str(out))} exists already and is not overwritten."
        raise DestinationProblem(msg, hint="Choose another name.")
    sources = read_sources(paths)
    key = open_sources(sources, ask)
    with files.staging(out) as folder:
        made = unpack(key, folder / "restored.key", sources.fingerprint)
        try:
            files.move_new(made.private, out)
        except OSError as error:
            msg = f"Cannot write {clean(str(out))}: {files.problem_text(error)}."
            raise DestinationProblem(msg) from error
        public = None
        if made.public is not None:
            public = out.with_suffix(made.public.suffix)
            try:
                files.move_new(made.public, public)
            except OSError:  # one that is there already stays; it can be derived again
                public = public if files.is_file(public) else None
    info = replace(made.info, path=out)
    keystate.note_restored(info, keep_path=False)
    return Restored(out, public, info, clean(key.name))


def unpack(key: KeyFiles, target: Path, fingerprint: str) -> Restored:
    """Write the key as ``target`` into a private folder and check that it is the right one."""
    files.write_new(target, key.data, mode=0o600)
    half = _public_half(key)
    public = None
    if half:
        suffix = ".crt" if b"BEGIN CERTIFICATE" in half else ".pub"
        public = target.with_suffix(suffix)
        files.write_new(public, half)
    info = describe_key(target)
    found = info.fingerprint.hex if info.fingerprint else ""
    if fingerprint and found != fingerprint:
        raise KeyProblem(
            "What the backup holds is another key than it says.",
            hint="Its fingerprint differs. Do not use it before you know why.",
        )
    return Restored(target, public, info, clean(key.name))


def _public_half(key: KeyFiles) -> bytes:
    """That which was kept, or which the private key tells; nothing for a locked or broker's key."""
    if key.public:
        return key.public
    with suppress(KatauiError, TypeError):
        own = load_private(key.data, "the key", None).public_key()
        if isinstance(own, rsa.RSAPublicKey | ec.EllipticCurvePublicKey):
            return public_pem(own)
    return b""
