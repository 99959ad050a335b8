"""Publishing a prepared pod where there is a network: its images, the broker's rule and keys.

Every step is told before it is done, as the command that it is. Images go to the registry through
skopeo (skopeo-copy(1)), each with its ``.sig`` image, and are asked back for their digest. Rule and
keys go to the key broker through kbs-client when it is here, else through its HTTP interface
(trustee, kbs/docs/kbs.yaml and tools/kbs-client/src/lib.rs): ``POST URL/kbs/v0/resource-policy``
and ``/kbs/v0/resource/REPOSITORY/TYPE/TAG`` with the admin's token as bearer.
"""

import hashlib
import shlex
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

from kataui import tools
from kataui.errors import ExitStatus, IntegrityError, KatauiError, NotPossibleHere
from kataui.files import clean, is_file, is_folder, problem_text
from kataui.images.commands import Written, shell_line
from kataui.images.model import REF_NAME, Digest
from kataui.images.open import open_source, tags_in
from kataui.images.registry import is_loopback, reason_in
from kataui.images.signatures import is_signature, signature_tag, signed_digest
from kataui.images.simplesigning import check_identity
from kataui.images.source import Source
from kataui.kata.manifest import list_at
from kataui.pods.broker import Broker, Upload, send
from kataui.pods.lock import Lock, read_lock
from kataui.progress import Control

_KEYS = "keys/kbs"
_RULE = "kbs-policy.rego"


@dataclass(frozen=True, slots=True)
class Step:
    """One step: the words of a command, or what is sent to the broker; and what it does.

    ``digest`` is what the command's output must hash to, for a step that checks.
    """

    sentence: str
    words: tuple[str, ...] = ()
    digest: str = ""
    upload: Upload | None = None

    @property
    def command(self) -> str:
        """The step as people read it, and could run it by hand where it is a command."""
        if self.upload is not None:
            return f"POST {self.upload.url}  (body: {clean(str(self.upload.file))})"
        return shell_line(self.words)


@dataclass(frozen=True, slots=True)
class Plan:
    """What publishing will do, in this order; ``notes`` tell what else should be known."""

    steps: tuple[Step, ...]
    notes: tuple[str, ...]
    hosts: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Place:
    """Where to publish; ``registry`` replaces that of the images' names."""

    registry: str = ""
    insecure: bool = False
    broker: Broker | None = None


class PublishFailed(KatauiError):
    """A step failed; ``done`` steps before it were done."""

    exit_status = ExitStatus.NOT_POSSIBLE

    def __init__(self, steps: Sequence[Step], done: int, reason: str) -> None:
        left = len(steps) - done - 1
        super().__init__(
            f"Step {done + 1} of {len(steps)} failed: {steps[done].sentence} {reason}",
            hint=f"{done} steps were done, {left} after it were not. Run it again: what was done"
            " does no harm when it is done once more.",
        )
        self.done = done


class OtherDigest(PublishFailed, IntegrityError):
    """The registry gives something else than what was pushed."""

    exit_status = ExitStatus.FAIL


def plan(folder: Path, place: Place, *, control: Control) -> Plan:
    """The steps that publish a prepared folder; nothing is sent, and no tool is needed.

    Raises ``KatauiError`` when the folder is not what its lock says, or keys would be readable.
    """
    if not is_file(folder / "podlock.json") or not is_folder(folder / "images"):
        raise KatauiError(
            f"{clean(str(folder))} is no prepared pod.", hint="kataui pod prepare makes one."
        )
    pins = _pins(read_lock(folder / "podlock.json"))
    steps: list[Step] = []
    found: set[str] = set()
    hosts: set[str] = set()
    for path in sorted((folder / "images").iterdir()):
        for tag in (tags_in(f"oci:{path}") or [""]) if path.is_dir() else ():
            reference = f"oci:{path}:{tag}" if tag else f"oci:{path}"
            with open_source(reference, control=control) as source:
                for identity in pins.get(str(source.root.digest), ()):
                    target = _moved(identity, place.registry)
                    hosts.add(target.partition("/")[0])
                    steps += _image_steps(source, path, target, insecure=place.insecure)
                    found.add(str(source.root.digest))
    missing = sorted(pins.keys() - found)
    if missing:
        identity = next(iter(pins[missing[0]]))
        raise KatauiError(
            f"{clean(identity)}@{missing[0]} is in the lock, but not in images/.",
            hint="Prepare the pod again, or unpack all of its parcel.",
        )
    notes = _notes(place)
    if place.broker is not None:
        steps += _broker_steps(folder, place.broker)
        hosts.add(place.broker.host)
    return Plan(tuple(steps), notes, tuple(sorted(hosts)))


def _pins(lock: Lock) -> dict[str, set[str]]:
    """Digests with the repositories that hold them, of everything that runs."""
    found: dict[str, set[str]] = {}
    containers = [one for pod in lock.pods for one in list_at(pod, ("containers",))]
    for container in (*containers, *lock.sidecars):
        name, _, digest = str(container["image"]).partition("@")
        if not digest:
            raise KatauiError(f"{clean(name)} is not pinned: this is no lock of a prepared pod.")
        found.setdefault(str(Digest.parse(digest)), set()).add(check_identity(name))
    return found


def _moved(identity: str, registry: str) -> str:
    if not registry:
        return identity
    return check_identity(f"{registry.rstrip('/')}/{identity.partition('/')[2]}")


def _image_steps(source: Source, path: Path, identity: str, *, insecure: bool) -> Iterator[Step]:
    """The image and its signatures, each pushed, then asked back."""
    signatures = {
        signed_digest(entry, source): entry.digest
        for entry in source.entries
        if is_signature(entry) and entry.annotations.get(REF_NAME)
    }
    tag = source.tag or "latest"
    written = Written(path, is_archive=False, tag=tag, identity=identity, signed=tuple(signatures))
    digests = [source.root.digest, *signatures.values()]
    tags = [tag, *(signature_tag(digest) for digest in signatures)]
    plain = insecure or is_loopback(identity.partition("/")[0])
    for line, digest, name in zip(written.push_commands(), digests, tags, strict=True):
        what = "the image" if name == tag else "its signature"
        words = shlex.split(line)
        words[1:1] = ["--insecure-policy"]  # the policy of this machine is about other images
        words += ["--dest-tls-verify=false"] if plain else []
        yield Step(f"Push {what} to {identity}.", tuple(words))
        asked = ["skopeo", "inspect", "--raw", *(["--tls-verify=false"] if plain else [])]
        asked.append(f"docker://{identity}:{name}")
        yield Step(f"Ask for {what}: it must be {digest.short}.", tuple(asked), str(digest))


def _notes(place: Place) -> tuple[str, ...]:
    notes = []
    if place.registry:
        notes.append(
            "The signatures name the registry that the pod was prepared for: a policy takes the"
            f" images from there, not from {clean(place.registry)}."
        )
    if place.broker is not None:
        notes.append(
            "The broker has one rule for all its keys: the one that is there is replaced. What it"
            " holds cannot be read back without attestation, so that is not checked."
        )
    return tuple(notes)


def _broker_steps(folder: Path, broker: Broker) -> Iterator[Step]:
    """The rule first, so that no key is there for a moment under another one."""
    keys = folder / _KEYS
    if not is_folder(keys):
        raise KatauiError(
            f"There is no {_KEYS} in {clean(str(folder))}: keys do not travel in a parcel.",
            hint="Publish to the broker where the pod was prepared, or leave --kbs-url out.",
        )
    if is_file(folder / _RULE):
        sentence = "Set the broker's rule: keys only for a guest with this pod's initdata."
        yield _broker_step(broker, sentence, folder / _RULE, "")
    for path in sorted(path for path in keys.rglob("*") if path.is_file()):
        name = path.relative_to(keys).as_posix()
        if name.count("/") != 2 or not name.isascii() or not name.isprintable():
            raise KatauiError(f"{clean(name)} is no place in a broker: REPOSITORY/TYPE/TAG.")
        yield _broker_step(broker, f"Give the broker the resource {clean(name)}.", path, name)


def _broker_step(broker: Broker, sentence: str, path: Path, name: str) -> Step:
    if tools.find("kbs-client") is None:
        return Step(sentence, upload=Upload(broker, path, name))
    words = ["kbs-client", "--url", broker.url]
    words += ["--cert-file", broker.certificate] if broker.certificate else []
    words += ["config", "--admin-token-file", broker.token_file]
    words += ["set-resource", "--path", name, "--resource-file"] if name else []
    words += [] if name else ["set-resource-policy", "--policy-file"]
    return Step(sentence, (*words, str(path)))


def programs(steps: Sequence[Step]) -> dict[str, str]:
    """Where the programs are that the steps need; raises ``NotPossibleHere``."""
    names = sorted({step.words[0] for step in steps if step.words})
    return {name: str(tools.require(name, purpose="Publishing")) for name in names}


def publish(
    steps: Sequence[Step], *, control: Control, told: Callable[[Step], None] = lambda _step: None
) -> None:
    """Do the steps, one after the other; ``told`` gets each that is done.

    Uses the network, here and in the programs that are named. Raises ``NotPossibleHere`` before
    the first step when a program is missing, ``PublishFailed`` at the first that fails.
    """
    paths = programs(steps)
    for done, step in enumerate(steps):
        control.report(f"Step {done + 1} of {len(steps)}: {step.sentence}", 0, 0)
        if step.upload is not None:
            try:
                send(step.upload)
            except (KatauiError, OSError) as error:
                reason = error.message if isinstance(error, KatauiError) else problem_text(error)
                raise PublishFailed(steps, done, reason) from error
        else:
            _run(steps, done, [paths[step.words[0]], *step.words[1:]], control)
        told(step)


def _run(steps: Sequence[Step], done: int, argv: list[str], control: Control) -> None:
    try:
        outcome = tools.run(argv, control=control)
    except NotPossibleHere as error:
        raise PublishFailed(steps, done, error.message) from error
    if outcome.status != 0:
        raise PublishFailed(steps, done, f"{outcome.name} said: {reason_in(outcome.stderr)}")
    wanted = steps[done].digest
    found = f"sha256:{hashlib.sha256(outcome.stdout).hexdigest()}"
    if wanted and found != wanted:
        raise OtherDigest(steps, done, f"The registry has {found}.")
