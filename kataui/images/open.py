"""Opening an image, whatever it is stored as: recognised by content, checked, never extracted."""

import stat
from dataclasses import dataclass, replace
from pathlib import Path

from kataui.errors import ImageError
from kataui.files import clean, parse_json, problem_text
from kataui.findings import Finding
from kataui.images import dirimage, dockerarchive, layout, registry
from kataui.images.archive import TarTree
from kataui.images.blobs import MAX_MANIFEST_BYTES, Blobs
from kataui.images.choose import choose
from kataui.images.choose import tags_in as tags_of
from kataui.images.manifest import index_entries
from kataui.images.model import Descriptor, Platform
from kataui.images.platforms import parse_platforms
from kataui.images.reference import Reference, parse_reference
from kataui.images.source import Source, Transport
from kataui.images.tree import FolderTree, Tree, read_small
from kataui.images.walk import Walk
from kataui.progress import Control


def open_source(text: str, *, platform: str = "", control: Control | None = None) -> Source:
    """Open what ``text`` names (design, section 4); close the result.

    ``platform``: "" or "all" for every platform of an index, else ``linux/arm64[/v8]``, several
    with commas. Manifests and configurations are checked against their digests; layers are not
    read, except compressed ones in what ``docker save`` wrote, which have no digest yet.

    Raises ``KatauiError``: ``IntegrityError`` when bytes are not what was promised, ``ImageError``
    when something is missing, malformed or has several tags, ``NotPossibleHere`` when skopeo is
    needed and missing. Written to disk: a temporary copy of a gzip-compressed archive or of what
    skopeo fetches, removed by ``close``.
    """
    control = control or Control()
    reference = parse_reference(text)
    wanted = parse_platforms(platform)
    if registry.is_remote(reference):
        fetched = registry.fetch(reference, wanted, control=control)
        tree: Tree = FolderTree(Path(fetched.folder.name), temporary=fetched.folder)
        reference = replace(reference, tag=fetched.tag)
        transport, findings = Transport.OCI, fetched.findings
    else:
        tree, transport = _recognised(reference, control)
        findings = ()
    try:
        return _source(text, reference, transport, tree, _Choice(wanted, control, findings))
    except BaseException:
        tree.close()
        raise


def tags_in(text: str, *, control: Control | None = None) -> list[str]:
    """The tags of the images in a folder or archive; empty where they have none.

    Raises ``KatauiError`` when it holds no images.
    """
    tree, transport = _recognised(parse_reference(text), control or Control())
    try:
        if transport is Transport.DIR:
            return []
        if transport is Transport.DOCKER_ARCHIVE:
            return dockerarchive.tags_in(tree)
        return tags_of(index_entries(layout.index_of(tree)))
    finally:
        tree.close()


@dataclass(frozen=True, slots=True)
class _Choice:
    """What the caller asked for, and what is known before the image is read."""

    wanted: tuple[Platform, ...]
    control: Control
    findings: tuple[Finding, ...]


def _source(
    text: str, reference: Reference, transport: Transport, tree: Tree, choice: _Choice
) -> Source:
    blobs, root, tag, entries = _root(tree, transport, reference.tag, choice.control)
    walk = Walk(blobs, choice.wanted, choice.control, may_lack_layers=transport is Transport.DIR)
    index_raw = walk.root(root)
    return Source(
        reference=text,
        transport=transport,
        path=reference.path,
        tag=tag,
        root=root,
        images=tuple(walk.images),
        blobs=blobs,
        index_raw=index_raw,
        entries=entries,
        findings=(*choice.findings, *walk.findings),
    )


def _root(
    tree: Tree, transport: Transport, tag: str, control: Control
) -> tuple[Blobs, Descriptor, str, tuple[Descriptor, ...]]:
    """The blobs, what the tag points to, the tag, and all entries of ``index.json``."""
    if transport is Transport.DOCKER_ARCHIVE:
        saved, root, name = dockerarchive.open_saved(tree, tag, control=control)
        return saved, root, name, ()
    if transport is Transport.DIR:
        root = dirimage.dir_root(tree)
        return dirimage.DirBlobs(tree, root.digest), root, "", ()
    entries = index_entries(layout.index_of(tree))
    blobs = layout.TreeBlobs(tree)
    root, name = choose(blobs, entries, tag)
    return blobs, root, name, entries


def _recognised(reference: Reference, control: Control) -> tuple[Tree, Transport]:
    """The folder or archive, and what is in it; checks that it is what a prefix says."""
    path = Path(reference.path)
    is_folder = _is_folder(path)
    tree: Tree = FolderTree(path) if is_folder else TarTree.scan(path, control=control)
    try:
        found = _transport(tree, is_folder=is_folder, wish=reference.transport)
        return tree, _expected(reference, found)
    except BaseException:
        tree.close()
        raise


def _is_folder(path: Path) -> bool:
    """Whether it is a folder; raises ``ImageError`` when it is no file either."""
    shown = clean(str(path))
    try:
        mode = path.stat().st_mode
    except FileNotFoundError as error:
        raise ImageError(f"There is no image at {shown}.", hint="Check the path.") from error
    except OSError as error:
        raise ImageError(f"Cannot read {shown}: {problem_text(error)}.") from error
    except ValueError as error:  # a character that no file name has
        raise ImageError(f"{shown!r} is not a path.") from error
    if not stat.S_ISDIR(mode) and not stat.S_ISREG(mode):
        raise ImageError(f"{shown} is neither a file nor a folder.")
    return stat.S_ISDIR(mode)


def _expected(reference: Reference, found: Transport | None) -> Transport:
    shown = clean(reference.path)
    if found is None:
        raise ImageError(
            f"{shown} holds no image that kataui knows.",
            hint="It opens OCI layouts, oci-archive and docker-archive files, dir: images.",
        )
    if reference.transport not in {None, found}:
        raise ImageError(
            f"{shown} is no {reference.transport}: image.",
            hint=f"It is an image of the kind {found}; the path alone is enough.",
        )
    return found


def _transport(tree: Tree, *, is_folder: bool, wish: Transport | str | None) -> Transport | None:
    """What the files say; today's ``docker save`` holds a whole OCI layout beside its own list."""
    saved = tree.size_bytes(dockerarchive.MANIFEST_NAME) is not None
    prefers_saved = saved and wish == Transport.DOCKER_ARCHIVE
    if tree.size_bytes(layout.LAYOUT_MARK) is not None and not prefers_saved:
        return Transport.OCI if is_folder else Transport.OCI_ARCHIVE
    if not saved:
        return None
    data = read_small(tree, dockerarchive.MANIFEST_NAME, limit_bytes=MAX_MANIFEST_BYTES)
    if isinstance(parse_json(data, what=dockerarchive.MANIFEST_NAME), list):
        return Transport.DOCKER_ARCHIVE
    return Transport.DIR if is_folder else None
