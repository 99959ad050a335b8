"""The audit of a folder of manifests.

    packaging/bench pods

1 000 manifests of three containers each, with initdata and a policy, and a protected image that
they share; wall time of reading and auditing all of them, as ``kataui pod audit FOLDER`` does.
Then the handle "how much to encrypt": from a move to the painted answer.
"""

import base64
import gzip
import json
import os
import tempfile
import time
from pathlib import Path

os.environ.setdefault("QT_QPA_PLATFORM", "offscreen")

from PySide6.QtWidgets import QApplication

from kataui.images.piles import read_pile
from kataui.images.protectsample import protect_sample
from kataui.images.speed import measure_speed
from kataui.pods.audit import audit
from kataui.pods.read import read_path
from kataui.pods.shelf import Shelf, open_shelf
from kataui.pods.strength import PodPiles
from kataui.progress import Control
from kataui.ui import app as application
from kataui.ui.pods.strengthcard import Measured, StrengthCard

_MANIFESTS = 1000
_MOVES = 600
_INITDATA = """version = "0.1.0"
algorithm = "sha256"
[data]
"policy.rego" = "policy_data := {\\"containers\\": [], \\"request_defaults\\": {}}"
"""


def main() -> None:
    """Make the folder, audit it, print the time."""
    with tempfile.TemporaryDirectory() as scratch:
        folder = Path(scratch) / "sample"
        protect_sample(folder, Control())
        shelf = open_shelf(folder, Control())
        digest = next(one.digest for one in shelf.images if one.file_name == "protected")
        manifests = Path(scratch) / "manifests"
        manifests.mkdir()
        for number in range(_MANIFESTS):
            _write_manifest(manifests / f"{number}.json", digest)
        begin_s = time.perf_counter()
        found = audit(read_path(manifests, Control()), shelf, (), Control())
        seconds = time.perf_counter() - begin_s
        findings = len(found.findings)
        print(f"{_MANIFESTS} manifests, {findings} findings: {seconds:.2f} s (goal 10)")
        print(f"slider: p99 {_slider_ms(shelf):.2f} ms over {_MOVES} moves (goal 50)")


def _slider_ms(shelf: Shelf) -> float:
    """The p99 of moving the handle in the window, twelve images, painting included."""
    application.make_application([])
    piles = [read_pile(one.reference, Control()) for one in shelf.images] * 6
    card = StrengthCard(Measured(PodPiles(tuple(piles)), measure_speed(Control())), lambda _: None)
    card.resize(1100, 400)
    card.show()
    took_ms = []
    for move in range(_MOVES):
        begin_s = time.perf_counter()
        card.slider.setValue(move % 3)
        card.repaint()
        QApplication.processEvents()
        took_ms.append((time.perf_counter() - begin_s) * 1000)
    return sorted(took_ms)[int(_MOVES * 0.99)]


def _write_manifest(path: Path, digest: str) -> None:
    packed = base64.b64encode(gzip.compress(_INITDATA.encode())).decode()
    image = f"registry.example.org/sample/checkout@{digest}"
    annotations = {"io.katacontainers.config.hypervisor.cc_init_data": packed}
    value = {
        "apiVersion": "v1",
        "kind": "Pod",
        "metadata": {"name": path.stem, "annotations": annotations},
        "spec": {
            "runtimeClassName": "kata-qemu-snp-runtime-rs",
            "initContainers": [{"name": "first", "image": image}],
            "containers": [{"name": "main", "image": image}, {"name": "log", "image": "log:1"}],
        },
    }
    path.write_text(json.dumps(value, indent=1))


if __name__ == "__main__":
    main()
