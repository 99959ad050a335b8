"""Writing a key's backup: one encrypted file, a page to print, and shares.

For ``--out FILE`` there come to be, all with mode 0600 and none of them overwriting anything::

    FILE                      the encrypted backup (see ``keysealed``)
    FILE.html                 the same to print: codes and lines (see ``keypages``)
    FILE.share-1-of-5.html    with a split: a card for each share (see ``keysplit``)

The shares of a key broker's key (32 bytes) hold the key itself; those of any other key hold the
backup's id and backup key (36 bytes), and open FILE. With a split the passphrase may be left out:
then only shares open FILE, and a broker's key has no FILE at all, for its shares are enough. No
private key is written unencrypted, neither in a file nor on paper.
"""

import os
from dataclasses import dataclass
from pathlib import Path

from kataui import files
from kataui.errors import DestinationProblem, KeyProblem
from kataui.files import clean
from kataui.images import keystate
from kataui.images.keyfiles import read_key_file
from kataui.images.keymaking import KeyInfo, describe_key
from kataui.images.keypages import backup_page, share_card
from kataui.images.keysealed import ID_BYTES, KEY_BYTES, Header, KeyFiles, seal
from kataui.images.keysplit import Split, split_secret


@dataclass(frozen=True, slots=True)
class Backup:
    """What was written; ``file`` and ``page`` are ``None`` when the shares are all there is."""

    info: KeyInfo
    header: Header
    file: Path | None
    page: Path | None
    cards: tuple[Path, ...]


def backup(
    key: Path, out: Path, *, passphrase: str | None = None, split: Split | None = None
) -> Backup:
    """Back a private key up, and remember that it was.

    Raises ``KeyProblem`` when the file is no private key, or when nothing would open the backup;
    ``DestinationProblem`` when a file exists or cannot be written: then none of them is there.
    """
    info = describe_key(key)
    if not info.private:
        raise KeyProblem(
            f"{clean(key.name)} is a {info.kind}; it needs no backup.",
            hint="Give the private key: anybody may have the public one.",
        )
    if passphrase == "" or (passphrase is None and split is None):
        raise KeyProblem(
            "A backup needs a passphrase, which is not empty.",
            hint="Five words that are drawn at random make a good one.",
        )
    header = Header(
        id=os.urandom(ID_BYTES).hex(),
        kind=info.kind,
        algorithm=info.algorithm,
        fingerprint=info.fingerprint.hex if info.fingerprint else "",
        made=keystate.now(),
        split=split.text if split else "",
    )
    content = KeyFiles(clean(key.name), read_key_file(str(key)), _public_half(info))
    made = _contents(out, content, header, passphrase, split)
    _write_all(made)
    first = next(iter(made))
    keystate.note_backup(info, first, when=header.made)
    cards = tuple(path for path in made if path not in {out, page_of(out)})
    file, page = (out, page_of(out)) if out in made else (None, None)
    return Backup(info, header, file, page, cards)


def page_of(out: Path) -> Path:
    """The page beside a backup file."""
    return out.with_name(f"{out.name}.html")


def card_of(out: Path, number: int, count: int) -> Path:
    """The card of a share."""
    return out.with_name(f"{out.name}.share-{number}-of-{count}.html")


def _contents(
    out: Path, key: KeyFiles, header: Header, passphrase: str | None, split: Split | None
) -> dict[Path, bytes]:
    """Every file with its bytes."""
    made: dict[Path, bytes] = {}
    backup_key = os.urandom(KEY_BYTES)
    alone = header.kind == "kbs"
    if passphrase is not None or not alone:
        raw = seal(key, header, backup_key, passphrase)
        made = {out: raw, page_of(out): backup_page(header, raw, out.name)}
    if split is not None:
        secret = key.data if alone else bytes.fromhex(header.id) + backup_key
        for number, words in enumerate(split_secret(secret, split), 1):
            card = share_card(header, words, number, file_name="" if alone else out.name)
            made[card_of(out, number, split.count)] = card
    return made


def _write_all(made: dict[Path, bytes]) -> None:
    """All of them, or none."""
    for path in made:
        if files.is_there(path):
            msg = f"{clean(str(path))} exists already and is not overwritten."
            raise DestinationProblem(msg, hint="Choose another name.")
    done: list[Path] = []
    try:
        for path, data in made.items():
            files.write_new(path, data, mode=0o600)
            done.append(path)
    except DestinationProblem:
        for path in done:
            path.unlink(missing_ok=True)
        raise


def _public_half(info: KeyInfo) -> bytes:
    """The certificate beside the key, or what a locked key cannot tell; else nothing."""
    suffixes = (".crt", ".pub") if info.locked else (".crt",)
    for suffix in suffixes:
        path = info.path.with_suffix(suffix)
        if files.is_file(path) and info.fingerprint is not None:
            try:
                if describe_key(path).fingerprint == info.fingerprint:
                    return read_key_file(str(path))
            except KeyProblem:
                continue
    return b""
