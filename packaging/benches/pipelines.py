"""Pipelines: documents checked a second, and what a key press costs before the preview shows.

A folder of 10 000 manifests is made from Kata's templates and checked as ``kataui pipeline check``
does. A template of one's own that gives 5 000 lines is rendered again for each key press, and the
changed lines are found. Figures are medians and p99; the limits are those of the project.
"""

import argparse
import statistics
import subprocess
import sys
import tempfile
import time
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
sys.path.insert(0, str(ROOT))

from kataui.pipelines import catalogue
from kataui.pipelines.checkpaths import check_paths
from kataui.pipelines.checks import Options, check_rendered
from kataui.pipelines.render import changed, render
from kataui.progress import Control

MANIFESTS, LINES, PRESSES = 10_000, 5_000, 300
OWN = """\
format: 1
id: large
title: Large
system: Kubernetes
version: "1"
why: A bench.
parameters:
  - {{name: name, title: Name, kind: name, default: a, help: h, group: g}}
  - {{name: text, title: Text, kind: text, default: b, help: h, group: g}}
files:
  large.yaml:
    objects:
{0}"""
OBJECT = """\
      - {{apiVersion: v1, kind: ConfigMap, metadata: {{name: "${{name}}-{0}", namespace: ci}},
         data: {{a: x, b: y, c: z, d: "{0}", e: "${{text}}"}}}}
"""


def make_folder(folder: Path, count: int) -> int:
    """Files with a job and a policy each; gives the bytes written."""
    template = catalogue.load(folder / "none").get("kata-smoke-test")
    size = 0
    for number in range(count):
        values = {"name": f"job-{number}", "memoryLimit": f"{1 + number % 8}Gi"}
        text = render(template, values, kubernetes="1.34").files[0].text
        place = folder / f"{number // 100:03}" / f"{number}.yaml"
        place.parent.mkdir(exist_ok=True)
        place.write_text(text)
        size += len(text)
    return size


def check_all(folder: Path) -> None:
    """One whole check with progress reports."""
    reports: list[object] = []
    began = time.perf_counter()
    report = check_paths([folder], Options(), Control(reports.append))
    took_s = time.perf_counter() - began
    print(
        f"check: {report.documents} documents in {took_s:.1f} s, "
        f"{report.documents / took_s:.0f} documents/s (limit: 300), {len(reports)} reports"
    )


def press_keys(folder: Path) -> None:
    """Key presses in a form whose result has 5 000 lines."""
    place = folder / "own" / "large"
    place.mkdir(parents=True)
    objects = "".join(OBJECT.format(number) for number in range(LINES // 12))
    (place / "template.yaml").write_text(OWN.format(objects))
    template = catalogue.load(place.parent).get("large")
    before = render(template, {}, kubernetes="1.34")
    for field in ("text", "name"):
        took_ms = []
        for number in range(PRESSES):
            began = time.perf_counter()
            after = render(template, {field: f"k{number}"}, kubernetes="1.34")
            changed(before, after)
            took_ms.append((time.perf_counter() - began) * 1e3)
            before = after
        p99 = statistics.quantiles(took_ms, n=100)[98]
        print(
            f"key press in {field}: {before.files[0].text.count(chr(10))} lines, "
            f"median {statistics.median(took_ms):.1f} ms, p99 {p99:.1f} ms (limit: 50)"
        )
    began = time.perf_counter()
    check_rendered(before, Options())
    print(f"check of it, beside the window: {(time.perf_counter() - began) * 1e3:.0f} ms")


def start() -> None:
    """A command that needs the whole core."""
    argv = [sys.executable, "-m", "kataui", "pipeline", "list"]
    took_ms = []
    for _ in range(7):
        began = time.perf_counter()
        subprocess.run(argv, cwd=ROOT, check=True, stdout=subprocess.DEVNULL)
        took_ms.append((time.perf_counter() - began) * 1e3)
    print(f"kataui pipeline list: median {statistics.median(took_ms):.0f} ms")


def main() -> None:
    """Run all."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--manifests", type=int, default=MANIFESTS)
    arguments = parser.parse_args()
    with tempfile.TemporaryDirectory() as scratch:
        folder = Path(scratch)
        manifests = folder / "manifests"
        manifests.mkdir()
        make_folder(manifests, arguments.manifests)
        check_all(manifests)
        press_keys(folder)
    start()


if __name__ == "__main__":
    main()
