"""One set of real keys for all tests, made once."""

from dataclasses import dataclass
from pathlib import Path

from kataui.images.keymaking import new_key


@dataclass(frozen=True)
class Keys:
    """Paths and specs; the signing keys have an empty passphrase."""

    folder: Path

    @property
    def recipient(self) -> str:
        return f"jwe:{self.folder / 'rsa.pub'}"

    @property
    def private(self) -> str:
        return str(self.folder / "rsa.key")

    @property
    def other_recipient(self) -> str:
        return f"jwe:{self.folder / 'ec.pub'}"

    @property
    def other_private(self) -> str:
        return str(self.folder / "ec.key")

    @property
    def certificate(self) -> str:
        return str(self.folder / "cert.crt")

    @property
    def certificate_key(self) -> str:
        return str(self.folder / "cert.key")

    @property
    def broker(self) -> str:
        return f"kbs:///default/image-key/test={self.folder / 'broker.key'}"

    @property
    def sign_key(self) -> Path:
        return self.folder / "sign.key"

    @property
    def sign_pub(self) -> Path:
        return self.folder / "sign.pub"

    @property
    def foreign_key(self) -> Path:
        return self.folder / "foreign.key"

    @property
    def foreign_pub(self) -> Path:
        return self.folder / "foreign.pub"


def make_keys(folder: Path) -> Keys:
    new_key("jwe", folder / "rsa")
    new_key("jwe", folder / "ec", algorithm="p256")
    new_key("pkcs7", folder / "cert")
    new_key("kbs", folder / "broker")
    new_key("cosign", folder / "sign", passphrase="")
    new_key("cosign", folder / "foreign", passphrase="")
    return Keys(folder)
