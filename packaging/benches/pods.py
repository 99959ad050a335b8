"""The audit of a folder of manifests.

    packaging/bench pods

1 000 manifests of three containers each, with initdata and a policy, and a protected image that
they share; wall time of reading and auditing all of them, as ``kataui pod audit FOLDER`` does.
"""

import base64
import gzip
import json
import tempfile
import time
from pathlib import Path

from kataui.images.protectsample import protect_sample
from kataui.pods.audit import audit
from kataui.pods.read import read_path
from kataui.pods.shelf import open_shelf
from kataui.progress import Control

_MANIFESTS = 1000
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
