"""The piles of a pod's images: what the handle "how much to encrypt" is moved over."""

from collections.abc import Sequence
from dataclasses import dataclass

from kataui.errors import Cancelled, KatauiError
from kataui.files import clean
from kataui.images.piles import Pile, read_pile
from kataui.pods.model import Container, Pod
from kataui.pods.shelf import Shelf, Stored
from kataui.progress import Control

MOST_PILES = 40  # more cannot be told from each other in a picture


@dataclass(frozen=True, slots=True)
class PodPiles:
    """One pile for each image that is here, named by its first container, in their order.

    ``missing`` are containers whose image is not here or not clear; ``beside`` other images of
    the shelf, which may share layers; ``left`` how many images were more than ``MOST_PILES``.
    """

    piles: tuple[Pile, ...] = ()
    missing: tuple[str, ...] = ()
    beside: tuple[Pile, ...] = ()
    left: int = 0


def read_piles(pods: Sequence[Pod], shelf: Shelf, control: Control) -> PodPiles:
    """The piles of some pods' images; what cannot be read is missing. Raises ``Cancelled``."""
    named: dict[str, Stored] = {}
    names: dict[str, str] = {}
    missing: dict[str, str] = {}
    for container in (one for pod in pods for one in pod.containers):
        control.check()
        found = shelf.find(container)
        if len(found) == 1:
            named.setdefault(found[0].digest, found[0])
            names.setdefault(found[0].digest, _name(container))
        else:
            missing.setdefault(container.image, _name(container))
    chosen = list(named.values())[:MOST_PILES]
    piles = [pile for one in chosen if (pile := _read(one, names[one.digest], control))]
    unread = [names[one.digest] for one in chosen if all(one.digest != p.digest for p in piles)]
    others = {one.digest: one for one in shelf.images if one.digest not in named}
    beside = [pile for one in others.values() if (pile := _read(one, one.file_name, control))]
    left = max(0, len(named) - MOST_PILES)
    gone = tuple(dict.fromkeys([*unread, *missing.values()]))
    return PodPiles(tuple(piles), gone[:MOST_PILES], tuple(beside), left)


def _name(container: Container) -> str:
    return clean(container.name, limit=60) or "no name"


def _read(stored: Stored, name: str, control: Control) -> Pile | None:
    """The audit tells what is wrong with an image that cannot be read."""
    try:
        return read_pile(stored.reference, control, name=name)
    except Cancelled:
        raise
    except KatauiError:
        return None
