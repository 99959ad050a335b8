"""Images that are not at hand, fetched by skopeo from the registries that a pod names."""

import contextlib
from collections.abc import Iterable, Iterator
from dataclasses import replace
from pathlib import Path

from kataui import tools
from kataui.errors import Cancelled, KatauiError
from kataui.findings import Finding, Severity
from kataui.images.reference import DOCKER, Reference
from kataui.images.registry import fetch
from kataui.pods.model import Container, shown_image
from kataui.pods.shelf import Shelf, full_name, open_shelf, stored_in
from kataui.progress import Control


@contextlib.contextmanager
def shelf_for(
    containers: Iterable[Container], folder: str, *, pull: bool, control: Control
) -> Iterator[Shelf]:
    """What is in ``folder`` (may be empty), and with ``pull`` also what is missing there.

    Uses the network when something is missing. What is fetched lies below the system's temporary
    folder (``TMPDIR``) until the end of the ``with`` block. An image that cannot be fetched is a
    finding. Raises ``KatauiError`` without the folder, ``NotPossibleHere`` without skopeo.
    """
    shelf = open_shelf(Path(folder), control) if folder else Shelf()
    missing = {one.image: None for one in containers if pull and one.image and not shelf.find(one)}
    if missing:
        tools.require("skopeo", purpose="Fetching images")
    with contextlib.ExitStack() as stack:
        for image in missing:
            shelf = _with(shelf, image, stack, control)
        yield shelf


def _with(shelf: Shelf, image: str, stack: contextlib.ExitStack, control: Control) -> Shelf:
    try:
        fetched = fetch(Reference(DOCKER, image, ""), (), control=control)
        stack.callback(fetched.folder.cleanup)
        (stored,) = stored_in(Path(fetched.folder.name), control)
    except Cancelled:
        raise
    except KatauiError as error:
        message = f"It was not fetched: {error.message}"
        finding = Finding("POD-PULL", Severity.WARNING, shown_image(image), message, checked=False)
        return replace(shelf, findings=(*shelf.findings, finding))
    digests = stored.digests | ({fetched.digest} - {""})
    stored = replace(stored, names=frozenset({full_name(image)}), digests=digests)
    new = (one for one in fetched.findings if one not in shelf.findings)
    return Shelf((*shelf.images, stored), (*shelf.findings, *new))
