"""A sample image made on the spot, and throwaway keys, so that everything can be tried at once."""

import random
from dataclasses import dataclass
from pathlib import Path

from kataui.errors import DestinationProblem
from kataui.files import clean, problem_text, write_new
from kataui.images.buildanswers import BuildAnswers
from kataui.images.buildtree import add_bytes, new_layer
from kataui.images.keymaking import new_key
from kataui.images.model import Platform
from kataui.images.newimage import BASE_NAME, NewImage
from kataui.images.writer import destination
from kataui.progress import Control

TAG = "2.4.1"
_TIME_S = 1_764_000_000  # a fixed moment: the sample is the same image every time
_MODEL_BYTES = 2 << 20
_SETTINGS = BuildAnswers(
    destination="",
    entrypoint=("/srv/app/start.sh",),
    env=(
        "PATH=/usr/local/bin:/usr/bin:/bin",
        "PAYMENT_API_KEY=sk_sample_not_a_real_key_0123456789",  # for the leak panel to find
    ),
    user="app",
    working_dir="/srv",
    labels=(("org.opencontainers.image.title", "shop/checkout"),),
)
_NOTE = (
    "These keys were made to try kataui and lie beside the image that they open.\n"
    "Throw them away. Never use them for an image that matters.\n"
)


@dataclass(frozen=True, slots=True)
class Sample:
    """The sample image: a layout folder and the tag in it."""

    source: Path
    tag: str


@dataclass(frozen=True, slots=True)
class SampleKeys:
    """Throwaway keys: for opening (jwe) and for signing (cosign, empty passphrase)."""

    recipient_spec: str
    private_key: Path
    sign_key: Path
    public_key: Path


def _file_system(name: str) -> list[tuple[str, list[tuple[str, bytes, int]]]]:
    """The layers: the command that made each, and its files (name, content, mode)."""
    numbers = random.Random(7 if name == "checkout" else name)  # noqa: S311 - a sample, no secret
    libraries = b"".join(b"def price_%d(x): return x * %d\n" % (n, n) for n in range(9000))
    return [
        (
            "ADD rootfs.tar.xz /",
            [
                ("etc/os-release", b'NAME="Sample base"\nVERSION_ID="12"\n', 0o644),
                ("etc/passwd", b"root:x:0:0::/:/bin/sh\napp:x:10001:10001::/srv:/bin/sh\n", 0o644),
                ("usr/share/base/words.txt", b"base file system of the sample\n" * 9000, 0o644),
            ],
        ),
        (
            "COPY runtime/ /usr/local",
            [("usr/local/lib/runtime.py", libraries, 0o644)],
        ),
        (
            "COPY model.onnx /srv/model",
            [("srv/model/model.onnx", numbers.randbytes(_MODEL_BYTES), 0o600)],
        ),
        (
            "COPY src/ /srv/app",
            [
                (
                    "srv/app/start.sh",
                    b"#!/bin/sh\nexec /usr/local/bin/%s --port 8080\n" % name.encode(),
                    0o755,
                )
            ],
        ),
    ]


def make_sample(folder: Path, control: Control, name: str = "checkout") -> Sample:
    """Write the sample image as an OCI layout to ``folder``: two base layers, two own ones.

    It is the same image every time; with another name its own layers are others, on the same
    base. Raises ``DestinationProblem`` when the folder exists.
    """
    with destination(f"oci:{folder}:{TAG}") as place:
        image = NewImage(place.layout, moment_s=_TIME_S)
        image.annotations = {BASE_NAME: "registry.example.org/sample/base:12"}
        image.begin(Platform("linux", "amd64"))
        for number, (command, contents) in enumerate(_file_system(name)):
            with (
                new_layer(place.layout, control, step="Making the sample") as layer,
                layer.tar() as tar,
            ):
                for path, data, mode in contents:
                    add_bytes(tar, path, data, mode=mode, time_s=_TIME_S)
            image.add_layer(layer, command)
            if number == 1:  # where an official base image ends
                image.set(BuildAnswers("", command=("sh",)))
        image.set(_SETTINGS)
        image.write(TAG)
        place.commit()
    return Sample(folder, TAG)


def make_sample_keys(folder: Path) -> SampleKeys:
    """Write throwaway keys and a note that says so into a new folder that is the owner's alone.

    Raises ``DestinationProblem`` when it exists or cannot be made.
    """
    try:
        folder.mkdir(mode=0o700, parents=True)
    except OSError as error:
        raise DestinationProblem(
            f"Cannot make the folder {clean(str(folder))}: {problem_text(error)}.",
            hint="Name a new folder.",
        ) from error
    write_new(folder / "THROWAWAY-KEYS.txt", _NOTE.encode())
    opening = new_key("jwe", folder / "throwaway-recipient")
    signing = new_key("cosign", folder / "throwaway-signing", passphrase="")
    public = opening.public or opening.private
    return SampleKeys(
        f"jwe:{public}", opening.private, signing.private, signing.public or signing.private
    )
