"""Single acts on an image: decrypt, sign, and change who may open it."""

from functools import partial
from pathlib import Path

from kataui.files import clean
from kataui.images.cosignkey import load_signing_key
from kataui.images.encrypt import decrypt_image
from kataui.images.keys import load_keys
from kataui.images.model import Descriptor
from kataui.images.open import open_source
from kataui.images.recipients import parse_recipient
from kataui.images.rewrap import Change, change_recipients
from kataui.images.sign import Signed, sign_source
from kataui.images.writer import destination
from kataui.progress import Control
from kataui.ui.commandtext import command
from kataui.ui.images.taskpage import TaskPage, Work
from kataui.ui.jobs import Jobs
from kataui.ui.widgets.card import Card
from kataui.ui.widgets.facts import Facts
from kataui.ui.widgets.fields import Field, PathField, TextField
from kataui.ui.widgets.findings import FindingList

_IMAGE = "A folder or archive; PATH:TAG for one of several."
_LAYOUT = "An OCI layout folder; PATH:TAG for one of several."
_SPECS = "jwe:FILE, pkcs7:CERT, pgp:ID, pkcs11:PEM or kbs:///REPO/TYPE/TAG=KEYFILE"


class DecryptPage(TaskPage):
    """The same as ``kataui image decrypt``."""

    def __init__(self, jobs: Jobs) -> None:
        facts = "Writes a copy that anybody can read. The encrypted image stays as it is."
        super().__init__(jobs, "Decrypt an image", facts, verb="Decrypt", icon="unlock")
        self.image = PathField("Image", mode="image", help_text=_IMAGE)
        self.key = PathField("Private key that opens it", help_text="Or kbs:///...=KEYFILE.")
        self.target = PathField("Destination", mode="save", help_text="A new folder.")
        self.add_fields(self.image, self.key, self.target)

    def as_command(self) -> list[str]:
        """As words; what is missing is in capitals."""
        places = [self.image.text or "IMAGE", self.target.text or "DESTINATION"]
        return command("image decrypt", places, {"--key": self.key.text or "KEY"})

    def missing(self) -> dict[Field, str]:
        """All three are needed."""
        return _empty(self.image, self.key, self.target)

    def locked_keys(self) -> list[str]:
        """The private key."""
        return [self.key.text]

    def work(self, secrets: dict[str, str]) -> Work:
        """Decrypt into the destination."""
        return partial(_decrypt, self.image.text, self.key.text, self.target.text, secrets)

    def show_result(self, outcome: object) -> None:
        """Say where it is."""
        if isinstance(outcome, Descriptor):
            text = f"Decrypted into {clean(self.target.text)}"
            self.say("pass", text, str(outcome.digest), word="Done")


def _decrypt(
    image: str, key: str, target: str, secrets: dict[str, str], control: Control
) -> Descriptor:
    ring = load_keys((key,), secrets.get)
    with (
        open_source(image, control=control) as source,
        destination(target, source=source) as place,
    ):
        tag = place.reference.tag
        root = decrypt_image(source, place.layout, ring=ring, tag=tag, control=control)
        place.pack(control)
        place.commit()
        return root


class SignPage(TaskPage):
    """The same as ``kataui image sign``."""

    def __init__(self, jobs: Jobs) -> None:
        facts = "Adds signatures to a layout in place; cosign and skopeo find them there."
        super().__init__(jobs, "Sign an image", facts, verb="Sign", icon="sign")
        self.image = PathField("Image", mode="folder", help_text=_LAYOUT)
        self.key = PathField("Signing key", help_text="cosign's private key file.")
        self.identity = TextField(
            "Repository",
            placeholder="registry.example.org/team/app",
            help_text="Where the image will be pulled from, without tag.",
        )
        self.add_fields(self.image, self.key, self.identity)

    def as_command(self) -> list[str]:
        """As words; what is missing is in capitals."""
        key, identity = self.key.text or "KEY", self.identity.text or "REPOSITORY"
        options = {"--key": key, "--identity": identity}
        return command("image sign", [self.image.text or "IMAGE"], options)

    def missing(self) -> dict[Field, str]:
        """All three are needed."""
        return _empty(self.image, self.key, self.identity)

    def locked_keys(self) -> list[str]:
        """The signing key."""
        return [self.key.text]

    def work(self, secrets: dict[str, str]) -> Work:
        """Sign in place."""
        return partial(_sign, self.image.text, self.key.text, self.identity.text, secrets)

    def show_result(self, outcome: object) -> None:
        """Say what is signed."""
        if isinstance(outcome, Signed):
            digests = ", ".join(digest.short for digest in outcome.digests)
            self.say("pass", f"Signed for {outcome.identity}.", digests, word="Done")


def _sign(image: str, key: str, identity: str, secrets: dict[str, str], control: Control) -> Signed:
    signing = load_signing_key(Path(key), secrets.get)
    with open_source(image, control=control) as source:
        return sign_source(source, key=signing, identity=identity, control=control)


class RecipientsPage(TaskPage):
    """The same as ``kataui image recipients``."""

    def __init__(self, jobs: Jobs) -> None:
        facts = "Writes manifests only, never a layer. Whoever kept an old copy can open that copy."
        super().__init__(jobs, "Change who may open it", facts, verb="Change", icon="key")
        self.image = PathField("Image", mode="folder", help_text=_LAYOUT)
        self.key = PathField("Private key that opens it", help_text="Needed to add somebody.")
        self.add = TextField("Add", help_text=_SPECS)
        self.remove = TextField("Remove", help_text="A scheme, jwe#1, or a kbs:/// name.")
        self.add_fields(self.image, self.key, self.add, self.remove)

    def as_command(self) -> list[str]:
        """As words; what is missing is in capitals."""
        options = {"--key": self.key.text, "--add": self.add.text, "--remove": self.remove.text}
        return command("image recipients", [self.image.text or "IMAGE"], options)

    def missing(self) -> dict[Field, str]:
        """The image, and something to change."""
        wrong = _empty(self.image)
        if not (self.add.text or self.remove.text):
            wrong[self.add] = "Name somebody to add, or to remove."
        return wrong

    def locked_keys(self) -> list[str]:
        """The private key."""
        return [self.key.text]

    def work(self, secrets: dict[str, str]) -> Work:
        """Rewrite the manifests."""
        texts = (self.key.text, self.add.text, self.remove.text)
        return partial(_change, self.image.text, texts, secrets)

    def show_result(self, outcome: object) -> None:
        """Who may open which layer now."""
        if isinstance(outcome, Change):
            self.say("pass", "The recipients are changed.", str(outcome.digest), word="Done")
            card = Card("Who may open it now")
            card.body.addWidget(Facts([(f"Layer {i}", who) for i, who in outcome.recipients]))
            card.body.addWidget(FindingList(outcome.findings))
            self.result.addWidget(card)


def _change(
    image: str, texts: tuple[str, str, str], secrets: dict[str, str], control: Control
) -> Change:
    key, add, remove = texts
    ring = load_keys((key,) if key else (), secrets.get)
    with open_source(image, control=control) as source:
        return change_recipients(
            source,
            ring=ring,
            add=[parse_recipient(add)] if add else [],
            remove=[remove] if remove else [],
        )


def _empty(*fields: TextField) -> dict[Field, str]:
    """The fields that are still empty."""
    return {field: "This is needed." for field in fields if not field.text}
