"""Looking at a pod, off the UI thread: audit, piles of its images, speed of this computer."""

import contextlib
from dataclasses import dataclass, field
from pathlib import Path

from kataui.images.signatures import load_public_keys
from kataui.images.speed import measure_speed
from kataui.pods.audit import Audit, audit
from kataui.pods.pulled import shelf_for
from kataui.pods.read import pods_of, read_path
from kataui.pods.strength import read_piles
from kataui.progress import Control
from kataui.ui.pods.strengthcard import Measured


@dataclass(frozen=True, slots=True)
class Question:
    """What to look at: a manifest or a folder of them, its images, the signer's public key.

    ``pull``: images that are not there may be fetched from their registries.
    """

    file: str = ""
    images: str = ""
    public_key: str = ""
    pull: bool = False


@dataclass(frozen=True, slots=True)
class Looked:
    """What was found; ``measured`` is None when no image is here."""

    question: Question
    audit: Audit = field(repr=False)
    measured: Measured | None = field(default=None, repr=False)


def look(question: Question, control: Control) -> Looked:
    """Audit, and measure when there is an image. Raises ``KatauiError``."""
    keys = load_public_keys([question.public_key] if question.public_key else [])
    documents = read_path(Path(question.file), control)
    containers = [one for pod in pods_of(documents) for one in pod.containers]
    with shelf_for(containers, question.images, pull=question.pull, control=control) as shelf:
        found = audit(documents, shelf, keys, control)
        stacks = read_piles(found.pods, shelf, control)
    if not stacks.piles:
        return Looked(question, found)
    return Looked(question, found, Measured(stacks, measure_speed(control)))


def images_beside(file: str) -> str:
    """The folder where the images of a manifest most likely are: ``images`` beside it, or its own.

    Empty when neither holds an OCI layout or an archive.
    """
    folder = Path(file).absolute().parent
    for place in (folder / "images", folder):
        with contextlib.suppress(OSError):  # a closed folder holds nothing for us
            if any(_is_image(one) for one in place.iterdir()):
                return str(place)
    return ""


def _is_image(path: Path) -> bool:
    return (path / "index.json").is_file() if path.is_dir() else path.suffix in {".tar", ".oci"}


def key_beside(file: str) -> str:
    """The signer's public key that lies beside a prepared manifest, or nothing."""
    place = Path(file).absolute().with_name("cosign.pub")
    return str(place) if place.is_file() else ""
