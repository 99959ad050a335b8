"""What goes wrong silently on Kata, found in manifests: the rules K-*."""

from collections.abc import Sequence

from kataui.findings import Finding
from kataui.kata.manifest import Document


def check(documents: Sequence[Document]) -> list[Finding]:
    """What the rules say about documents of one or more files that belong together.

    In the order of the documents. Some rules look across: an agent's flag in one file decides
    about a step in another.
    """
    del documents
    return []
