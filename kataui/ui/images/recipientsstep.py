"""Step 3: who may open the image, and with which private key that is proved."""

from collections.abc import Callable
from dataclasses import replace
from functools import partial
from pathlib import Path

from kataui.errors import KatauiError
from kataui.images.keymaking import NewKey, new_key
from kataui.ui.images.flow import Flow, Step
from kataui.ui.images.steppage import StepPage
from kataui.ui.widgets.buttons import Button
from kataui.ui.widgets.card import Card
from kataui.ui.widgets.confirm import AskSecret
from kataui.ui.widgets.fields import ChoiceField, TextField, choose_path
from kataui.ui.widgets.flowrow import flow_row
from kataui.ui.widgets.listbox import ItemList

_SCHEMES = [
    ("jwe", "Public key (JWE): skopeo, buildah, containerd"),
    ("kbs", "Key broker (CoCo): a confidential Kata guest"),
    ("pkcs7", "Certificate (PKCS7)"),
    ("pkcs11", "Public key of a token (PKCS11)"),
    ("pgp", "PGP, through gpg"),
]
_HELP = {
    "jwe": "The .pub file: PEM, DER or JWK of an RSA or EC key.",
    "kbs": "kbs:///REPOSITORY/TYPE/TAG=KEYFILE, the file being the 32 bytes at the broker.",
    "pkcs7": "An X.509 certificate with an RSA key.",
    "pkcs11": "The public key as PEM, RSA 3072 or more.",
    "pgp": "A user id or e-mail address that gpg knows.",
}


class RecipientsStep(StepPage):
    """Recipients are added one by one; private keys are only read, for the proof."""

    step = Step.RECIPIENTS
    question = "Who may open the image?"
    why = "Each recipient opens it with a key of their own. Keep one for yourself, or nobody can."

    def __init__(self, changed: Callable[[], None]) -> None:
        super().__init__(changed)
        self._recipients: tuple[str, ...] = ()
        self._keys: tuple[str, ...] = ()
        self._sign_key = ""
        self._list = ItemList("Recipients", empty="Nobody yet.", icon="key")
        self._list.removed.connect(self._remove)
        self._scheme = ChoiceField("Kind", _SCHEMES)
        self._scheme.changed.connect(self._on_scheme)
        self._typed = TextField("Recipient", help_text=_HELP["jwe"])
        self._typed.edit.returnPressed.connect(self._add_typed)
        card = Card("Recipients")
        card.body.addWidget(self._list)
        card.body.addWidget(self._scheme)
        card.body.addWidget(self._typed)
        self._maker = Button("Make new keys for me…", self._make, icon="key")
        self._file = Button("Choose file…", self._choose, name="Choose a recipient's key file")
        card.body.addWidget(
            flow_row(
                Button("Add", self._add_typed, icon="plus", name="Add recipient"),
                self._file,
                self._maker,
            )
        )
        self.body.addWidget(card)
        self._build_keys()
        self._profile = ChoiceField(
            "Profile",
            [
                ("", "Chosen by itself"),
                ("host", "Hosts: skopeo, containerd"),
                ("coco", "Confidential guests (CoCo)"),
            ],
            help_text="Guests open gzip and tar only, and one key broker annotation.",
        )
        self._profile.changed.connect(self.answer_changed)
        self.expert_box.addWidget(self._profile)
        self.add_expert()
        self.fields = {"recipients": self._typed}

    def _build_keys(self) -> None:
        note = "Used once, here, to open the result again. A key broker's key proves itself."
        card = Card("Private keys to prove with")
        self._key_list = ItemList(
            "Private keys to prove with", empty="None: the proof will be unknown.", icon="key"
        )
        self._key_list.removed.connect(self._remove_key)
        self._key = TextField("Private key file", help_text=note)
        self._key.edit.returnPressed.connect(self._add_key)
        card.body.addWidget(self._key_list)
        card.body.addWidget(self._key)
        choose = Button("Choose file…", self._choose_key, name="Choose a private key file")
        add = Button("Add", self._add_key, icon="plus", name="Add private key")
        card.body.addWidget(flow_row(add, choose))
        self.body.addWidget(card)

    def _on_scheme(self, scheme: str) -> None:
        self._typed.set_help(_HELP[scheme])
        self._file.setVisible(scheme not in {"kbs", "pgp"})

    def _choose(self) -> None:
        choose_path(self, "Choose a key", "open", self._typed.text, self._add)

    def _choose_key(self) -> None:
        choose_path(self, "Choose a private key", "open", self._key.text, self._add_key_file)

    def _make(self) -> None:
        choose_path(self, "Where to keep the new keys", "folder", "", self.make_in)

    def make_in(self, folder: str) -> None:
        """Make a key that opens the image there; and one that signs it, unless one is chosen."""
        made = self._new("jwe", Path(folder) / "image-recipient")
        if made is None:
            return
        self._recipients += (f"jwe:{made.public}",)
        self._keys += (str(made.private),)
        self._show()
        self.answer_changed()
        if not self._sign_key:
            title = "Choose a passphrase for the new signing key"
            AskSecret(self, title, partial(self._make_sign_key, Path(folder))).open()

    def _make_sign_key(self, folder: Path, secret: str) -> None:
        made = self._new("cosign", folder / "image-signing", secret)
        if made is not None:
            self._sign_key = str(made.private)
            self._typed.set_help(f"The next page has the signing key {made.private.name}, too.")
            self.answer_changed()

    def _new(self, kind: str, place: Path, secret: str = "") -> NewKey | None:
        try:
            return new_key(kind, place, passphrase=secret)
        except KatauiError as error:
            self._typed.show_problem(f"{error.message} {error.hint}")
            return None

    def _add_typed(self) -> None:
        if self._typed.text:
            self._add(self._typed.text)

    def _add(self, text: str) -> None:
        """Add what was typed or chosen, with the kind that is chosen."""
        scheme = self._scheme.value
        spec = text if text.startswith(f"{scheme}:") else f"{scheme}:{text}"
        self._recipients = tuple(dict.fromkeys((*self._recipients, spec)))
        self._typed.set_text("")
        self._show()
        self.answer_changed()

    def _add_key(self) -> None:
        if self._key.text:
            self._add_key_file(self._key.text)

    def _add_key_file(self, path: str) -> None:
        self._keys = tuple(dict.fromkeys((*self._keys, path)))
        self._key.set_text("")
        self._show()
        self.answer_changed()

    def _remove(self, spec: str) -> None:
        self._recipients = tuple(item for item in self._recipients if item != spec)
        self._show()
        self.answer_changed()

    def _remove_key(self, path: str) -> None:
        self._keys = tuple(item for item in self._keys if item != path)
        self._show()
        self.answer_changed()

    def _show(self) -> None:
        self._list.show_items([(item, item) for item in self._recipients])
        self._key_list.show_items([(item, item) for item in self._keys])

    def load(self, flow: Flow) -> None:
        """Show who may open it."""
        self._recipients, self._keys = flow.answers.recipients, flow.answers.keys
        self._sign_key = flow.answers.sign_key
        self._profile.set_value(flow.answers.profile)
        self._show()

    def store(self, flow: Flow) -> Flow:
        """Keep the recipients; what was typed and not added counts."""
        self._add_typed()
        self._add_key()
        answers = replace(
            flow.answers,
            recipients=self._recipients,
            keys=self._keys,
            sign_key=self._sign_key,
            profile=self._profile.value,
        )
        return replace(flow, answers=answers)
