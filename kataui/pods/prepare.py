"""Preparing a pod: all its images protected, pinned and locked, in one folder, or nothing."""

import contextlib
import hashlib
import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from functools import cache
from pathlib import Path

from kataui.errors import DestinationProblem, KatauiError
from kataui.files import clean, is_there, move_new, problem_text, read_bounded, staging, write_new
from kataui.findings import Finding, Severity, Verdict
from kataui.images import receipt
from kataui.images.cosignkey import load_signing_key
from kataui.images.kbs import split_spec
from kataui.images.keymaking import public_pem
from kataui.images.keys import AskPassphrase
from kataui.images.protect import Protected, protect
from kataui.images.protectanswers import ProtectAnswers
from kataui.images.simplesigning import check_identity, make_blob_bundle
from kataui.images.verdict import judge
from kataui.kata import initdata
from kataui.kata.classes import find, is_valid_name
from kataui.kata.edits import Put, apply
from kataui.kata.manifest import MAX_BYTES, decode, parse
from kataui.pods import preparedfiles, preparedpage
from kataui.pods.lock import BUNDLE_SUFFIX, make_lock
from kataui.pods.model import Container
from kataui.pods.policy import read_policy
from kataui.pods.prepareanswers import DEFAULT_CLASS, PrepareAnswers
from kataui.pods.pulled import shelf_for
from kataui.pods.read import pods_of
from kataui.pods.referencevalues import ReferenceValues, reference_for
from kataui.pods.shelf import Shelf, Stored
from kataui.pods.sidecars import open_questions, pin_edits, sidecars_of
from kataui.progress import Control

__all__ = ["DEFAULT_CLASS", "Image", "PrepareAnswers", "Prepared", "prepare"]
_KBS = "kbs:"


@dataclass(frozen=True, slots=True)
class Image:
    """One image as it was prepared: what the manifest called it, and what it pins now."""

    asked: str
    identity: str
    pin: str
    folder: str
    verdict: Verdict
    sentence: str


@dataclass(frozen=True, slots=True)
class Prepared:
    """What came out; ``digest`` is that of the initdata as the hardware reports it (hex)."""

    out: Path
    images: tuple[Image, ...]
    digest: str
    verdict: Verdict
    findings: tuple[Finding, ...] = field(default=())
    reference: ReferenceValues | None = None


def prepare(answers: PrepareAnswers, *, ask: AskPassphrase, control: Control) -> Prepared:
    """Protect every image of a manifest and write all that belongs to it.

    Writes ``out``: manifest.yaml, images/, policy.json, image-security-policy.json, initdata.toml,
    initdata.annotation, kbs-policy.rego, podlock.json, receipts/, index.html, and keys/ (0700: all
    that is secret); when asked for, reference-values.json and rvps-message.json. It appears whole
    or not at all. Raises ``KatauiError``.
    """
    target = Path(answers.out).absolute()  # receipts name it
    if is_there(target):
        raise DestinationProblem(f"{clean(str(target))} is there already.", hint="Name a new one.")
    with contextlib.ExitStack() as pulled, staging(target) as folder:
        made = _Work(answers, cache(ask), control, pulled).write(folder / "made")
        try:
            move_new(folder / "made", target)
        except OSError as error:
            msg = f"{clean(str(target))} cannot be made: {problem_text(error)}."
            raise DestinationProblem(msg) from error
    return made


class _Work:
    """Reads everything that can be wrong before the first image is encrypted."""

    def __init__(
        self,
        answers: PrepareAnswers,
        ask: AskPassphrase,
        control: Control,
        pulled: contextlib.ExitStack,
    ) -> None:
        """``pulled`` keeps what is fetched until all is done."""
        self.answers, self.ask, self.control = answers, ask, control
        self.target = Path(answers.out).absolute()
        path = Path(answers.file)
        data = read_bounded(path, limit_bytes=MAX_BYTES, what="a manifest")
        self.documents = parse(data, clean(path.name))
        self.text = decode(data)
        self.pods = pods_of(self.documents)
        if not self.pods:
            raise KatauiError("There is no pod in it.", hint="Give a Pod, a Deployment, a Job ...")
        for pod in self.pods:
            if all(pod.place.document is not one for one in self.documents):
                where = clean(pod.subject)
                raise KatauiError(f"{where} stands inside a text, which is not changed here.")
        if not is_valid_name(answers.runtime_class):
            raise KatauiError(f"{clean(answers.runtime_class)!r} is no name of a runtime class.")
        self.policy = _read_text(answers.policy, "a policy")
        self.certificate = _read_text(answers.kbs_certificate, "a certificate")
        self.resources = _resources(answers.recipients)
        self.sign_key = load_signing_key(Path(answers.sign_key), ask)
        self.sidecars = sidecars_of(answers.sidecars)
        self.reference = reference_for(answers.launch, self.pods, answers.runtime_class)
        self.stored = self._stored(pulled)
        self.bases = _bases(answers.bases, self.stored)
        self.identities = _identities(self.stored, answers.identity_prefix)
        # An edit that cannot be made is told now, not after all images are encrypted.
        self._manifest(dict.fromkeys(self.stored, f"image@sha256:{'0' * 64}"), "initdata")

    def _stored(self, pulled: contextlib.ExitStack) -> dict[str, tuple[Container, Stored]]:
        """Each image that a container asks for, and what it is on the shelf."""
        containers = [*(one for pod in self.pods for one in pod.containers), *self.sidecars]
        shelf = pulled.enter_context(
            shelf_for(containers, self.answers.images, pull=self.answers.pull, control=self.control)
        )
        return {one.image: (one, self._one_of(shelf, one)) for one in containers}

    def _one_of(self, shelf: Shelf, container: Container) -> Stored:
        shown = clean(container.image) or "no image"
        where = clean(self.answers.images)
        fits = shelf.find(container)
        if len(fits) != 1:
            why = [one.message for one in shelf.findings if one.subject == shown]
            reason = f"may be more than one of {where}." if fits else f"is not in {where}."
            raise KatauiError(
                f"{clean(container.name)}: {shown} {reason if fits or not why else ''.join(why)}",
                hint="Name the file as the image with / : @ as _, or pin its digest.",
            )
        if container.pinned and container.digest not in fits[0].digests:
            raise KatauiError(f"{shown} is not what is in {where}.")
        return fits[0]

    def write(self, folder: Path) -> Prepared:
        """Everything, into a folder that is new."""
        for name in ("images", "receipts"):
            (folder / name).mkdir(parents=True)
        (folder / "keys").mkdir(mode=0o700)
        images = [self._image(folder, asked) for asked in self.stored]
        repositories = [image.identity for image in images]
        guest = preparedfiles.guest_policy(repositories)
        toml = self._initdata(guest)
        told = initdata.read(toml)
        known = find(self.answers.runtime_class)
        digest = told.reported(known.tee if known else "").hex()
        pem = public_pem(self.sign_key.public_key())
        host = preparedfiles.host_policy(repositories, pem)
        pins = {image.asked: image.pin for image in images}
        manifest = self._manifest(pins, initdata.to_annotation(toml)).encode()
        pods = pods_of(parse(manifest, "manifest.yaml"))
        sidecars = [replace(one, image=pins[one.image]) for one in self.sidecars]
        lock = make_lock(pods, [self.sign_key.public_key()], sidecars)
        written = {
            "manifest.yaml": manifest,
            "policy.json": _json(host),
            "image-security-policy.json": _json(guest),
            "initdata.toml": toml.encode(),
            "initdata.annotation": initdata.to_annotation(toml).encode() + b"\n",
            "kbs-policy.rego": preparedfiles.RULE.format(digest=digest).encode(),
            "podlock.json": lock,
            f"podlock.json{BUNDLE_SUFFIX}": make_blob_bundle(self.sign_key, lock),
            "cosign.pub": pem,
        }
        findings = self._findings(images)
        told_of = (judge(findings), tuple(findings), self.reference)
        made = Prepared(self.target, tuple(images), digest, *told_of)
        written |= self.reference.files() if self.reference else {}
        written["index.html"] = preparedpage.page(made, self.answers.runtime_class).encode()
        for name, data in written.items():
            write_new(folder / name, data)
        self._write_keys(folder / "keys", pem)
        return made

    def _image(self, folder: Path, asked: str) -> Image:
        stored, identity = self.stored[asked][1], self.identities[asked]
        name = identity.removeprefix(self.answers.identity_prefix).strip("/").replace("/", "_")
        done = protect(
            ProtectAnswers(
                source=stored.reference,
                destination=f"oci:{folder / 'images' / name}",
                recipients=self.answers.recipients,
                sign_key=self.answers.sign_key,
                identity=identity,
                keys=self.answers.keys,
                layers=self.answers.layers,
                base=self.bases.get(asked, ""),
            ),
            ask=self.ask,
            control=self.control,
        )
        self._write_receipt(folder, name, done)
        pin = f"{identity}@{done.proof.report.digest}"
        proof = done.proof
        return Image(asked, identity, pin, f"images/{name}", proof.verdict, proof.sentence)

    def _write_receipt(self, folder: Path, name: str, done: Protected) -> None:
        """It tells where things will be, not where they are made."""
        told = json.dumps(done.receipt.value)
        here, there = (json.dumps(str(path))[1:-1] for path in (folder, self.target))
        made = receipt.Receipt(json.loads(told.replace(here, there)))
        with receipt.writing(str(folder / "receipts" / f"{name}.json"), made, self.sign_key):
            pass

    def _initdata(self, guest: Mapping[str, object]) -> str:
        known = find(self.answers.runtime_class)
        return preparedfiles.initdata_toml(
            algorithm=initdata.FITTING.get(known.tee if known else "", "sha256"),
            url=self.answers.kbs_url,
            certificate=self.certificate,
            policy=self.policy,
            image_policy=guest,
        )

    def _manifest(self, pins: Mapping[str, str], annotation: str) -> str:
        """The same text with digests, the class and the initdata; all else stays."""
        edits: list[Put] = []
        for pod in self.pods:
            index = pod.place.document.index
            edits += [
                Put(index, (*container.path, "image"), pins[container.image])
                for container in pod.containers
            ]
            path = (*pod.place.path, "runtimeClassName")
            edits.append(Put(index, path, self.answers.runtime_class))
            edits.append(Put(index, pod.place.annotation_path(initdata.ANNOTATION), annotation))
        return apply(self.text, [*edits, *pin_edits(self.pods, self.sidecars, pins)])

    def _findings(self, images: Sequence[Image]) -> list[Finding]:
        found = []
        for image in images:
            if image.verdict is Verdict.UNKNOWN:
                subject = clean(image.asked)
                found.append(
                    Finding("PREP-PROOF", _WARNING, subject, image.sentence, checked=False)
                )
        if not self.policy:
            message = "There is no agent policy yet: the host may run what it likes in the guest."
            fix = "genpolicy -y manifest.yaml; prepare again with --policy."
            found.append(Finding("PREP-POLICY", _WARNING, "Policy", message, fix=fix))
        elif read_policy(self.policy).fails_open:
            message = "The policy lets what it refuses pass."
            found.append(Finding("PREP-POLICY", _WARNING, "Policy", message))
        if any(text.startswith(_KBS) for text in self.answers.recipients):
            if not self.answers.kbs_url:
                message = "The guest does not know where its key broker is."
                fix = "Give it with --kbs-url."
                found.append(Finding("PREP-KBS", _WARNING, "Key broker", message, fix=fix))
        else:
            message = "The images are encrypted for hosts: a confidential guest cannot open them."
            found.append(Finding("PREP-GUEST", _WARNING, "Recipients", message))
        pins = {image.asked: image.pin for image in images}
        found += self.reference.findings if self.reference else ()
        return [*found, *open_questions(self.pods, self.sidecars, pins)]

    def _write_keys(self, folder: Path, pem: bytes) -> None:
        """The broker's resources as a tree, an upload script, and Secrets for the operator."""
        resources = {**self.resources, preparedfiles.KEY_TAG: pem}
        for path, data in resources.items():
            place = folder / "kbs" / path
            place.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
            write_new(place, data, mode=0o600)
        measured = self.reference.measurement if self.reference else ""
        script = preparedfiles.upload_script(self.answers.kbs_url, list(resources), measured)
        write_new(folder / "upload.sh", script.encode(), mode=0o700)
        secrets = preparedfiles.trustee_secrets(resources)
        write_new(folder / "trustee-secrets.yaml", secrets.encode(), mode=0o600)


_WARNING = Severity.WARNING


def _read_text(path: str, what: str) -> str:
    if not path:
        return ""
    try:
        return read_bounded(Path(path), limit_bytes=4 << 20, what=what).decode()
    except UnicodeDecodeError as error:
        raise KatauiError(f"{clean(path)} is not text.") from error


def _resources(recipients: Sequence[str]) -> dict[str, bytes]:
    """The raw keys of the broker by their place there."""
    found = {}
    for text in recipients:
        if text.startswith(_KBS):
            kid, path = split_spec(text)
            data = read_bounded(Path(path), limit_bytes=4096, what="a key")
            found[kid.removeprefix("kbs:///")] = data
    return found


def _identities(stored: Mapping[str, tuple[Container, Stored]], prefix: str) -> dict[str, str]:
    """Where each image will be: below the prefix, by the last part of its name.

    Images whose last parts are the same keep their whole path, with - for /; two tags of one
    repository are two digests in one place.
    """
    prefix = prefix.rstrip("/")
    repositories = {container.repository for container, _ in stored.values()}
    lasts = [name.rpartition("/")[2] for name in repositories]
    found = {}
    for asked, (container, _) in stored.items():
        last = container.repository.rpartition("/")[2]
        path = container.repository.partition("/")[2].replace("/", "-")
        name = last if lasts.count(last) == 1 else path
        if [other.repository for other, _ in stored.values()].count(container.repository) > 1:
            name = f"{name}-{hashlib.sha256(asked.encode()).hexdigest()[:8]}"
        found[asked] = check_identity(f"{prefix}/{name}")
    return found


def _bases(given: Sequence[str], stored: Mapping[str, object]) -> dict[str, str]:
    found = dict(text.partition("=")[::2] for text in given)
    for image in found:
        if image not in stored:
            raise KatauiError(f"No container runs {clean(image)}.", hint="Write IMAGE=BASE.")
    return found


def _json(value: object) -> bytes:
    return json.dumps(value, indent=2).encode() + b"\n"
