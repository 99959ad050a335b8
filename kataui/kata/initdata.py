"""Initdata: what a confidential guest is told at its start, as TOML and as a pod's annotation.

Source: kata-containers src/libs/kata-types/src/initdata.rs (base64 of gzip of the exact TOML
bytes; the digest is over those bytes), trustee kbs/docs/initdata.md (where the digest goes: SNP
HOST_DATA has 32 bytes, TDX MRCONFIGID 48).
"""

import base64
import binascii
import gzip
import hashlib
import tomllib
import zlib
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from kataui.errors import KatauiError
from kataui.files import clean
from kataui.kata.manifest import mapping_at

ANNOTATION = "io.katacontainers.config.hypervisor.cc_init_data"
VERSION = "0.1.0"
ALGORITHMS = ("sha256", "sha384", "sha512")
FITTING: Mapping[str, str] = {"snp": "sha256", "tdx": "sha384", "se": "sha256", "dev": "sha256"}
MAX_ANNOTATIONS_BYTES = 256 << 10  # of all annotations of an object together (Kubernetes)
MAX_TOML_BYTES = 4 << 20
_FIELD_BYTES = {"snp": 32, "tdx": 48, "se": 256}
_ALLOW_ALL = "AllowRequestsFailingPolicy := true"


class InitdataProblem(KatauiError):
    """An annotation or a TOML text is no initdata that a guest can read."""


@dataclass(frozen=True, slots=True)
class Initdata:
    """Initdata as it stands: ``toml`` are the exact bytes that count for the digest."""

    toml: bytes = field(repr=False)
    values: Mapping[str, Any] = field(repr=False)

    @property
    def version(self) -> str:
        """Its version as it is written, or nothing."""
        return str(self.values.get("version", ""))

    @property
    def algorithm(self) -> str:
        """The name of the hash, or nothing."""
        return str(self.values.get("algorithm", ""))

    @property
    def data(self) -> Mapping[str, Any]:
        """The files for the guest: ``aa.toml``, ``cdh.toml``, ``policy.rego`` ..."""
        return mapping_at(self.values, ("data",))

    def digest(self) -> bytes:
        """The hash that the hardware reports; raises ``InitdataProblem`` for another algorithm."""
        if self.algorithm not in ALGORITHMS:
            raise InitdataProblem(
                f"The algorithm {clean(self.algorithm, limit=30)!r} is none of "
                f"{', '.join(ALGORITHMS)}."
            )
        return hashlib.new(self.algorithm, self.toml).digest()

    def reported(self, tee: str) -> bytes:
        """The digest as the field of that hardware holds it: cut, or filled with zeros."""
        size_bytes = _FIELD_BYTES.get(tee)
        digest = self.digest()
        return digest if size_bytes is None else digest[:size_bytes].ljust(size_bytes, b"\0")


def read(toml: bytes | str) -> Initdata:
    """Initdata from its TOML text; raises ``InitdataProblem``."""
    data = toml.encode() if isinstance(toml, str) else toml
    if len(data) > MAX_TOML_BYTES:
        raise InitdataProblem(f"Initdata is larger than {MAX_TOML_BYTES >> 20} MiB.")
    try:
        return Initdata(data, tomllib.loads(data.decode()))
    except (UnicodeDecodeError, tomllib.TOMLDecodeError, RecursionError) as error:
        said = clean(str(error), limit=160)
        raise InitdataProblem(f"Initdata is not TOML: {said}.") from error


def from_annotation(text: str) -> Initdata:
    """Initdata from the annotation; raises ``InitdataProblem``."""
    try:
        packed = base64.b64decode(text.strip(), validate=True)
    except (binascii.Error, ValueError) as error:
        raise InitdataProblem("The annotation is not base64.") from error
    unpacker = zlib.decompressobj(wbits=31)
    try:
        toml = unpacker.decompress(packed, MAX_TOML_BYTES + 1)
    except zlib.error as error:
        hint = "" if packed.startswith(b"\x1f\x8b") else "Initdata is compressed, then encoded."
        raise InitdataProblem("The annotation is not gzip.", hint=hint) from error
    if len(toml) <= MAX_TOML_BYTES and not unpacker.eof:
        raise InitdataProblem("The annotation is cut off: its gzip does not end.")
    return read(toml)


def to_annotation(toml: bytes | str) -> str:
    """The annotation of a TOML text; the same text always gives the same one (no time in it)."""
    data = toml.encode() if isinstance(toml, str) else toml
    return base64.b64encode(gzip.compress(data, 9, mtime=0)).decode()


def problems(initdata: Initdata, tee: str = "") -> list[str]:
    """What a guest or a verifier would refuse, as sentences; ``tee`` as in a runtime class."""
    found = []
    if initdata.version != VERSION:
        said = clean(initdata.version, limit=30)
        found.append(f'The version is "{said}"; guests read "{VERSION}" only.')
    if initdata.algorithm not in ALGORITHMS:
        said = clean(initdata.algorithm, limit=30)
        found.append(f'The algorithm is "{said}"; it must be {", ".join(ALGORITHMS)}.')
    if not isinstance(initdata.values.get("data"), dict):
        found.append("It has no table [data].")
    for name, content in initdata.data.items():
        said = clean(str(name), limit=40)
        if not isinstance(content, str):
            found.append(f'"{said}" in [data] is no text.')
        elif str(name).endswith(".toml"):
            try:
                tomllib.loads(content)
            except (tomllib.TOMLDecodeError, RecursionError) as error:
                found.append(f"{said} is not TOML: {clean(str(error), limit=120)}.")
    if len(to_annotation(initdata.toml)) > MAX_ANNOTATIONS_BYTES:
        found.append("As an annotation it is larger than the 256 KiB that Kubernetes takes.")
    if tee == "snp" and initdata.algorithm in ("sha384", "sha512"):
        found.append(f"SNP reports only 32 bytes of a {initdata.algorithm} digest; use sha256.")
    return found


def allows_everything(policy: str) -> bool:
    """Whether an agent policy lets requests pass that it refuses."""
    return _ALLOW_ALL in " ".join(policy.split())
