"""Backups of the test keys, written once a test, and reading their cards."""

import re
from pathlib import Path

from kataui.images.keybackup import Backup, backup
from kataui.images.keypages import read_page
from kataui.images.keysplit import Split
from tests.keymaterial import Keys

SECRET = "correct horse battery staple"


def ask(_: str) -> str:
    """The passphrase of every backup here."""
    return SECRET


def refuse(prompt: str) -> str:
    """For what must not ask."""
    raise AssertionError(f"asked: {prompt}")


def rsa_backup(keys: Keys, folder: Path) -> Backup:
    """A backup of the RSA key that a passphrase opens, and any 3 of 5 shares."""
    return backup(keys.folder / "rsa.key", folder / "b", passphrase=SECRET, split=Split(3, 5))


def broker_cards(keys: Keys, folder: Path) -> tuple[Path, ...]:
    """Shares of the broker's key, any 2 of 3, which need no file."""
    return backup(keys.folder / "broker.key", folder / "k", split=Split(2, 3)).cards


def words_of(card: Path) -> str:
    """The words of a card."""
    page = read_page(card.read_text())
    assert page is not None
    return " ".join(re.findall("[a-z]+", page[0]))
