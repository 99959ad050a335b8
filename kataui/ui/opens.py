"""What a path is, what dropping it does, and where it opens: one table, the first that fits."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path

from kataui.errors import KatauiError
from kataui.files import clean, parse_json_object, read_bounded
from kataui.pods.parcellist import is_parcel
from kataui.ui.images.opening import Images, is_key
from kataui.ui.isolation.entrance import Entrance as Isolation
from kataui.ui.isolation.entrance import is_recording
from kataui.ui.pipelines.entrance import Entrance as Pipelines
from kataui.ui.pipelines.entrance import is_pipeline
from kataui.ui.pods.entrance import is_pod

_LOOK_BYTES = 4096
_RECEIPT_BYTES = 16 << 20
_LOCK, _RECEIPT = b'"kataui_podlock"', b'"kataui-receipt"'
_IMAGE_MARKS = ("oci-layout", "manifest.json", "index.json")


@dataclass(frozen=True, slots=True)
class Kind:
    """Something that can be opened; ``words`` say what a drop does."""

    name: str
    words: str
    fits: Callable[[str], bool]


def _begins_with(mark: bytes) -> Callable[[str], bool]:
    def fits(path: str) -> bool:
        place = Path(path)
        try:
            if place.suffix != ".json" or not place.is_file():
                return False
            with place.open("rb") as file:
                return mark in file.read(_LOOK_BYTES)
        except OSError:
            return False

    return fits


def _is_plain_folder(path: str) -> bool:
    """A folder in which no image, pipeline or anything else of ours is."""
    place = Path(path)
    try:
        return place.is_dir() and not any((place / name).exists() for name in _IMAGE_MARKS)
    except OSError:
        return False


def _image_of(path: str) -> str:
    """The image that a receipt tells of; empty when it tells of none."""
    try:
        data = read_bounded(Path(path), limit_bytes=_RECEIPT_BYTES, what="the receipt")
        result = parse_json_object(data, what="receipt").get("result")
    except KatauiError:
        return ""
    return str(result.get("path", "")) if isinstance(result, dict) else ""


def _is_prepared(path: str) -> bool:
    """A folder that ``pod prepare`` has written."""
    return all((Path(path) / name).is_file() for name in ("podlock.json", "manifest.yaml"))


KINDS = (
    Kind("recording", "Open as a recording", is_recording),
    Kind("parcel", "Unpack this parcel", is_parcel),
    Kind("lock", "Compare a running pod with this lock", _begins_with(_LOCK)),
    Kind("receipt", "Show the image of this receipt", _begins_with(_RECEIPT)),
    Kind("prepared", "See what the prepared pod runs", _is_prepared),
    Kind("pod", "See what the pod runs", is_pod),
    Kind("pipeline", "Check, and put on Kata", is_pipeline),
    Kind("key", "Show this key", is_key),
    Kind("folder", "This folder holds nothing to open", _is_plain_folder),
    Kind("image", "Open as an image", lambda _path: True),
)


def kind_of(path: str) -> Kind:
    """The first kind that fits."""
    return next(kind for kind in KINDS if kind.fits(path))


def drop_words(paths: Sequence[str]) -> str:
    """What dropping these does."""
    return kind_of(paths[0]).words if len(paths) == 1 else f"Open {len(paths)} things"


class Opens:
    """Opens paths in their places; ``problem`` gets a message and a hint."""

    def __init__(
        self,
        images: Images,
        isolation: Isolation,
        pipelines: Pipelines,
        problem: Callable[[str, str], None],
    ) -> None:
        self._images, self._isolation, self._pipelines = images, isolation, pipelines
        self._problem = problem

    def open(self, paths: Sequence[str]) -> None:
        """Open each; recordings and pipelines together, for they may belong to one another."""
        kinds: dict[str, list[str]] = {}
        for path in paths:
            kinds.setdefault(kind_of(path).name, []).append(path)
        for name, those in kinds.items():
            getattr(self, f"_open_{name}")(those)

    def _open_recording(self, paths: list[str]) -> None:
        self._isolation.open_paths(paths)

    def _open_parcel(self, paths: list[str]) -> None:
        self._images.pods.unpack(paths[0])

    def _open_lock(self, paths: list[str]) -> None:
        self._images.pods.compare_with(paths[0])

    def _open_receipt(self, paths: list[str]) -> None:
        """The image that the receipt tells of, when it is where it was."""
        for path in paths:
            image = _image_of(path)
            if image and Path(image).exists():
                self._images.open_image(image)
            else:
                shown = clean(Path(path).name, limit=100)
                hint = "Open the image itself, or the page beside the receipt (.html)."
                self._problem(f"The image of {shown} is not where it was.", hint)

    def _open_prepared(self, paths: list[str]) -> None:
        self._open_pod([str(Path(path) / "manifest.yaml") for path in paths])

    def _open_pod(self, paths: list[str]) -> None:
        for path in paths:
            self._images.pods.open(path)

    def _open_pipeline(self, paths: list[str]) -> None:
        self._pipelines.open_paths(paths)

    def _open_key(self, paths: list[str]) -> None:
        self._images.open_paths(paths)

    def _open_folder(self, paths: list[str]) -> None:
        for path in paths:
            shown = clean(Path(path).name, limit=100)
            hint = (
                "Looked for: an OCI layout (oci-layout), a dir: image or a saved image "
                "(manifest.json), and an exported pipeline."
            )
            self._problem(f"{shown} holds nothing that kataui opens.", hint)

    def _open_image(self, paths: list[str]) -> None:
        self._images.open_paths(paths)
