"""The backup file: a private key, encrypted, with a header that says openly what it is for.

One JSON object: ``format`` "kataui-key-backup", ``version`` 1, ``header`` (id, kind, algorithm,
fingerprint, made, split), ``sealed`` and, unless only shares open it, ``passphrase``. A random
backup key of 32 bytes seals the content: AES-256-GCM (NIST SP 800-38D) of packed JSON (zlib)
with the key file's name and bytes, and its public half where that cannot be derived; a byte is one
character there (ISO 8859-1), which keeps a PEM file short on paper. Format, version and header are
its associated data. The passphrase opens the backup key: scrypt (RFC 7914) with N=2^17, r=8, p=1,
then AES-256-GCM with the same associated data. All other bytes are base64; each ciphertext follows
its nonce of 12 bytes.
"""

import base64
import json
import os
import zlib
from collections.abc import Mapping
from dataclasses import asdict, dataclass, field, fields
from typing import Any

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from cryptography.hazmat.primitives.kdf.scrypt import Scrypt

from kataui.errors import KatauiError, KeyProblem
from kataui.files import compact_json, parse_json_object

FORMAT = "kataui-key-backup"
FORMAT_VERSION = 1
KEY_BYTES = 32
ID_BYTES = 4
_SCRYPT = {"n": 1 << 17, "r": 8, "p": 1}  # 128 MiB and about half a second a guess
_NONCE_BYTES, _SALT_BYTES = 12, 16
_MAX_CONTENT_BYTES = 4 << 20


@dataclass(frozen=True, slots=True)
class Header:
    """What may be seen without opening: nothing of it is secret.

    ``id`` is 4 random bytes in hex, the same on the shares; ``fingerprint`` is SHA-256 in hex,
    empty for a locked key whose public half was not there; ``made`` is ISO 8601, UTC; ``split``
    is "3/5", or empty.
    """

    id: str
    kind: str
    algorithm: str
    fingerprint: str
    made: str
    split: str = ""


@dataclass(frozen=True, slots=True)
class KeyFiles:
    """The exact bytes of a private key's file, and of its public half where it was kept."""

    name: str
    data: bytes = field(repr=False)
    public: bytes = b""


@dataclass(frozen=True, slots=True)
class Sealed:
    """A backup file that was read and not opened yet."""

    header: Header
    sealed: bytes = field(repr=False)
    wrapped: bytes = field(default=b"", repr=False)
    salt: bytes = field(default=b"", repr=False)

    @property
    def has_passphrase(self) -> bool:
        """Whether a passphrase opens it, or only shares do."""
        return bool(self.wrapped)


def seal(key: KeyFiles, header: Header, backup_key: bytes, passphrase: str | None) -> bytes:
    """The backup file's bytes; without a passphrase only ``backup_key`` opens it."""
    content = {"name": key.name, "data": key.data.decode("latin-1")}
    if key.public:
        content["public"] = key.public.decode("latin-1")
    bound = _bound(header)
    value: dict[str, Any] = {
        "format": FORMAT,
        "version": FORMAT_VERSION,
        "header": asdict(header),
        "sealed": _b64(_encrypt(backup_key, zlib.compress(compact_json(content), 9), bound)),
    }
    if passphrase is not None:
        salt = os.urandom(_SALT_BYTES)
        wrapped = _encrypt(_derive(passphrase, salt), backup_key, bound)
        value["passphrase"] = {"scrypt": _SCRYPT, "salt": _b64(salt), "wrapped": _b64(wrapped)}
    return json.dumps(value, indent=1).encode() + b"\n"


def parse_sealed(data: bytes, name: str) -> Sealed:
    """Read a backup file called ``name``; raises ``KeyProblem`` when it is none, or damaged."""
    try:
        value = parse_json_object(data, what=f"backup {name}")
    except KatauiError as error:
        raise KeyProblem(f"{name} is damaged: it is no JSON any more.") from error
    if value.get("format") != FORMAT:
        raise KeyProblem(f"{name} is no backup of a key.", hint="kataui key backup writes one.")
    if value.get("version") != FORMAT_VERSION:
        raise KeyProblem(f"{name} was written by a newer kataui.", hint="Update kataui.")
    try:
        header = _header(value["header"])
        return Sealed(header, _bytes(value["sealed"]), *_slot(value.get("passphrase")))
    except (KeyError, TypeError, ValueError) as error:
        raise KeyProblem(f"{name} is damaged: a part of it is missing or changed.") from error


def open_with_passphrase(backup: Sealed, passphrase: str) -> KeyFiles:
    """Open a backup; raises ``KeyProblem`` for a wrong passphrase or changed bytes."""
    if not backup.has_passphrase:
        raise KeyProblem("No passphrase opens this backup, only its shares do.")
    try:
        key = _decrypt(_derive(passphrase, backup.salt), backup.wrapped, _bound(backup.header))
    except InvalidTag as error:
        raise KeyProblem(
            "The passphrase does not open the backup.",
            hint="If you are sure of it, the file's header or key was changed: use another copy.",
        ) from error
    return open_with_key(backup, key)


def open_with_key(backup: Sealed, backup_key: bytes) -> KeyFiles:
    """Open a backup with its backup key; raises ``KeyProblem`` when bytes were changed."""
    try:
        packed = _decrypt(backup_key, backup.sealed, _bound(backup.header))
    except InvalidTag as error:
        raise KeyProblem(
            "The backup is damaged: its bytes are not those that were written.",
            hint="Use another copy of it; the printed page holds one.",
        ) from error
    try:
        unpacked = zlib.decompressobj().decompress(packed, _MAX_CONTENT_BYTES)
        content = parse_json_object(unpacked, what="content of the backup")
        data, public = (str(content.get(part, "")).encode("latin-1") for part in ("data", "public"))
        return KeyFiles(str(content["name"]), data, public)
    except (zlib.error, KeyError, TypeError, ValueError, KatauiError) as error:
        raise KeyProblem("The backup opens, but holds no key.") from error


def _slot(value: Mapping[str, Any] | None) -> tuple[bytes, bytes]:
    """The wrapped backup key and its salt; nothing when only shares open the backup."""
    if value is None:
        return b"", b""
    if value["scrypt"] != _SCRYPT:
        raise ValueError("version 1 has no other parameters")
    return _bytes(value["wrapped"]), _bytes(value["salt"])


def _header(value: Mapping[str, Any]) -> Header:
    members = {item.name: value[item.name] for item in fields(Header)}
    if set(value) != set(members) or not all(isinstance(x, str) for x in members.values()):
        raise ValueError("header")
    return Header(**members)


def _bound(header: Header) -> bytes:
    """What goes with the ciphertext and cannot be changed."""
    return compact_json([FORMAT, FORMAT_VERSION, asdict(header)])


def _derive(passphrase: str, salt: bytes) -> bytes:
    kdf = Scrypt(salt=salt, length=KEY_BYTES, **_SCRYPT)
    return kdf.derive(passphrase.encode("utf-8", "surrogateescape"))


def _encrypt(key: bytes, data: bytes, bound: bytes) -> bytes:
    nonce = os.urandom(_NONCE_BYTES)
    return nonce + AESGCM(key).encrypt(nonce, data, bound)


def _decrypt(key: bytes, data: bytes, bound: bytes) -> bytes:
    """Raises ``InvalidTag``, also for what is too short."""
    if len(data) < 2 * _NONCE_BYTES:
        raise InvalidTag
    return AESGCM(key).decrypt(data[:_NONCE_BYTES], data[_NONCE_BYTES:], bound)


def _b64(data: bytes) -> str:
    return base64.b64encode(data).decode("ascii")


def _bytes(text: object) -> bytes:
    return base64.b64decode(str(text), validate=True)
