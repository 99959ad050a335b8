"""Pictures of every page, to look at: both themes, 100 and 200 % text, wide and narrow windows.

    python packaging/shots.py FOLDER [--themes light,dark] [--percents 100,200]
                              [--sizes 1440x900,1000x700] [--only home,layers]

Needs no display (Qt's offscreen platform, unless QT_QPA_PLATFORM says otherwise). Everything is
made with the sample image in a scratch folder; settings and logs of the user are not touched.
"""

import argparse
import os
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path

os.environ.setdefault("QT_QPA_PLATFORM", "offscreen")
sys.path.insert(0, str(Path(__file__).resolve().parents[1]))

from PySide6.QtTest import QTest
from PySide6.QtWidgets import QSlider

from kataui import settings
from kataui.images.open import open_source
from kataui.images.protectsample import IDENTITY, protect_sample
from kataui.isolation.incidents import incidents
from kataui.pods.lock import make_lock
from kataui.pods.read import pods_of, read_file
from kataui.progress import Control, Progress
from kataui.ui import app as application
from kataui.ui import theme
from kataui.ui.images.flow import STEPS, Step
from kataui.ui.images.opening import TOOLS, Images
from kataui.ui.images.wizard import ProtectWizard
from kataui.ui.images.worklines import plan
from kataui.ui.isolation import entrance as isolation
from kataui.ui.pipelines import entrance as pipelines
from kataui.ui.window import Window

WAIT_S = 60
FORMS = ("gitlab-runner", "tekton-confidential")
ANSWERS = {
    "gitUrl": "https://git.example.org/shop/checkout.git",
    "pushTo": "registry.example.org/staging/checkout",
    "finalImage": "registry.example.org/shop/checkout:1.0",
    "kbsUrl": "https://kbs.example.org:8080",
}
TASK = """\
apiVersion: tekton.dev/v1
kind: Pipeline
metadata: {name: build}
spec:
  tasks:  # built on every push
    - name: image
      taskSpec:
        steps:
          - name: kaniko
            image: gcr.io/kaniko-project/executor:latest
            computeResources: {limits: {cpu: "4"}}
---
apiVersion: v1
kind: Pod
metadata: {name: agent}
spec:
  hostNetwork: true
  containers:
    - name: agent
      image: registry.example.org/agent
      resources: {limits: {cpu: 2}}
"""
SETTLE_MS = 120
CHECKED_MS = 700  # a form is checked a moment after the last key


POD = """\
apiVersion: v1
kind: Pod
metadata: {{name: checkout}}
spec:
  runtimeClassName: kata-qemu-snp-runtime-rs
  initContainers:
  - {{name: migrate, image: "{pin}"}}
  - {{name: log-shipper, image: "source", restartPolicy: Always}}
  containers:
  - {{name: checkout, image: "{pin}"}}
{more}"""
PUSHED_IN = """\
  ephemeralContainers:
  - {name: telemetry, image: 'example.net/agent:latest', args: [--dump]}
"""


class Stage:
    """A window with the sample in it; ``pages`` gives each page's name when it is shown."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.window: Window = application.make_window()
        images = self.window.findChild(Images)
        if not isinstance(images, Images):
            raise SystemExit("the window has no images")
        self.images = images

    def settle(self) -> None:
        """Wait for the work that goes on, and for the last painting."""
        end_s = time.monotonic() + WAIT_S
        while self.window.jobs.busy and time.monotonic() < end_s:
            QTest.qWait(10)
        QTest.qWait(SETTLE_MS)

    def pages(self) -> Iterator[str]:
        """Go from page to page."""
        for key in ("home", "images", "settings"):
            self.window.go(key)
            yield key
        for key in TOOLS:
            self.images.open_tool(key)
            yield key
            self.window.close_page(key)
        for name in ("source", "protected"):
            self.images.open_image(str(self.folder / name))
            yield f"opened-{name}"
        yield from self.verified()
        yield from self.pods()
        yield from self.wizard()
        yield from self.pipelines()
        yield from self.isolation()
        self.window.go("home")
        yield "home-recent"

    def verified(self) -> Iterator[str]:
        """The page for verifying, after it was asked."""
        self.images.start_verify(str(self.folder / "protected"))
        page = self.window.page("verify")
        keys = self.folder / "keys"
        page.public_key.set_text(str(next(keys.glob("*signing.pub"))))
        page.key.set_text(str(next(keys.glob("*recipient.key"))))
        page.start()
        yield "verified"

    def pods(self) -> Iterator[str]:
        """What a pod runs, and what was pushed into it."""
        public = str(next((self.folder / "keys").glob("*signing.pub")))
        with open_source(str(self.folder / "protected")) as source:
            pin = f"registry.example.org/sample/checkout@{source.root.digest}"
        manifest, live = self.folder / "pod.yaml", self.folder / "live.yaml"
        manifest.write_text(POD.format(pin=pin, more=""))
        live.write_text(POD.format(pin=pin, more=PUSHED_IN))
        (self.folder / "cosign.pub").write_bytes(Path(public).read_bytes())
        self.images.pods.open(str(live))
        self.settle()
        yield "pod-audited"
        page = self.window.page(self.window.current_key)
        slider = page.findChildren(QSlider)[0]
        for stop in range(2):
            slider.setValue(stop)
            page.scroller.ensureWidgetVisible(slider)
            yield f"pod-slider-{stop}"
        page.prepare()
        yield "pod-prepare"
        self.window.close_page("podprepare")
        page.show_pins()
        yield "pod-pins"
        lock = self.folder / "podlock.json"
        lock.write_bytes(make_lock(pods_of(read_file(manifest))))
        page = self.images.open_tool("podcompare")
        page.lock.set_text(str(lock))
        page.file.set_text(str(live))
        page.start()
        self.settle()
        yield "pod-compared"

    def wizard(self) -> Iterator[str]:
        """The wizard, filled in; its last step is shown with a proof."""
        self.images.start_protect((f"oci:{self.folder / 'source'}",))
        wizard = self.window.findChildren(ProtectWizard)[-1]
        yield "wizard-source"
        wizard.go_on()
        self.settle()
        keys = self.folder / "keys"
        wizard.flow = replace(
            wizard.flow,
            answers=replace(
                wizard.flow.answers,
                recipients=(f"jwe:{next(keys.glob('*recipient.pub'))}",),
                sign_key=str(next(keys.glob("*signing.key"))),
                identity=IDENTITY,
                destination=str(self.folder / "again"),
                keys=(str(next(keys.glob("*recipient.key"))),),
            ),
        )
        for layers in ("above-base", "1,2"):
            answers = replace(wizard.flow.answers, layers=layers, base="2")
            wizard.flow = replace(wizard.flow, answers=answers)
            wizard.go(Step.LAYERS)
            yield f"wizard-layers-{'some' if ',' in layers else layers}"
        wizard.flow = replace(wizard.flow, answers=replace(wizard.flow.answers, layers="all"))
        for step in STEPS[1 : STEPS.index(Step.PROTECT)]:
            wizard.go(step)
            yield f"wizard-{step.value.lower()}"
        wizard.go(Step.RECIPIENTS)
        wizard.set_expert("Expert")
        yield "wizard-recipients-expert"
        wizard.set_expert("Guided")
        yield from self.working(wizard)
        wizard.run({f"Passphrase of {Path(wizard.flow.answers.sign_key).name}": ""})
        self.settle()
        yield "wizard-proof"

    def pipelines(self) -> Iterator[str]:
        """The gallery, two forms, an export, and a file that is put on Kata."""
        self.window.go("pipelines")
        yield "pipelines"
        inside = self.window.findChildren(pipelines.Entrance)[0].inside
        for name in FORMS:
            inside.open_template(inside.catalogue.get(name))
            page = self.window.page(self.window.current_key)
            QTest.qWait(CHECKED_MS)
            yield f"form-{name}"
            for problem in page.state.view.problems:
                page.form._on_answer(problem.field, ANSWERS.get(problem.field, "example"))
            page.form._show_answers()
            QTest.qWait(CHECKED_MS)
            yield f"filled-{name}"
        page.export()
        page.exporting.folder.set_text(str(self.folder / "again-pipeline"))
        yield "pipeline-export"
        task = self.folder / "task.yaml"
        task.write_text(TASK, encoding="utf-8")
        inside.open_paths([str(task)])
        yield "pipeline-file"
        self.window.page(self.window.current_key).adopt()
        yield "pipeline-adopt"

    def isolation(self) -> Iterator[str]:
        """The tab, and the first recorded incident in each of its views."""
        self.window.go("isolation")
        yield "isolation"
        inside = self.window.findChildren(isolation.Entrance)[0].inside
        inside.open_incident(incidents()[0])
        self.settle()
        page = self.window.page(self.window.current_key)
        begin_us, end_us = page.deck.range_us
        page.deck.seek(int(begin_us + (end_us - begin_us) * 0.9))
        for index in range(page.tabs.count()):
            page.tabs.setCurrentIndex(index)
            yield f"isolation-{page.tabs.tabText(index).split(' ')[0].lower()}"
        view = page.deck.picture.view
        page.open_sandbox(view.sandboxes[0].key)
        yield "isolation-sandbox"

    def working(self, wizard: ProtectWizard) -> Iterator[str]:
        """The work as it looks half way, and its line when another page is shown."""
        work = wizard.work_step
        work.begin(plan(wizard.flow))
        wizard.go(Step.PROTECT)
        work.show_progress(Progress("Encrypting layer 3 of 4", 1_300_000, 2_098_000))
        yield "wizard-protect"
        key = self.window.current_key
        self.window.go("images")
        yield "docked"
        self.window.go(key)
        work.end()


def take(folder: Path, only: set[str], sample: Path, shape: tuple[str, int, str]) -> int:
    """Pictures of one shape (theme, percent, size); gives how many."""
    name, percent, size = shape
    settings.save(settings.Settings(theme=name, text_percent=percent))
    theme.set_theme(name, percent)
    stage = Stage(sample)
    stage.window.resize(*map(int, size.split("x")))
    stage.window.show()
    taken = 0
    for page in stage.pages():
        stage.settle()
        if not only or page in only:
            stage.window.grab().save(str(folder / f"{page}-{name}-{percent}-{size}.png"))
            taken += 1
    stage.window.close()
    stage.window.deleteLater()
    for made in sample.glob("again*"):
        remove(made)
    return taken


def remove(path: Path) -> None:
    """A file or a folder of the scratch folder."""
    for inner in sorted(path.rglob("*"), reverse=True) if path.is_dir() else ():
        inner.rmdir() if inner.is_dir() else inner.unlink()
    path.rmdir() if path.is_dir() else path.unlink()


def main() -> None:
    """Take what was asked for."""
    parser = argparse.ArgumentParser(description=__doc__.split("\n", maxsplit=1)[0])
    parser.add_argument("folder", type=Path)
    split: Callable[[str], list[str]] = lambda text: text.split(",")  # noqa: E731 - short
    parser.add_argument("--themes", type=split, default=["light", "dark"])
    parser.add_argument("--percents", type=split, default=["100", "200"])
    parser.add_argument("--sizes", type=split, default=["1440x900", "1000x700"])
    parser.add_argument("--only", type=split, default=[])
    asked = parser.parse_args()
    asked.folder.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory() as scratch:
        for variable in ("CONFIG", "STATE", "CACHE", "DATA"):
            os.environ[f"XDG_{variable}_HOME"] = str(Path(scratch) / variable)
        sample = Path(scratch) / "kataui-sample"
        protect_sample(sample, Control())
        application.make_application([])
        for name in asked.themes:
            for percent in asked.percents:
                for size in asked.sizes:
                    shape = (name, int(percent), size)
                    print(*shape, take(asked.folder, set(asked.only), sample, shape), "pictures")


if __name__ == "__main__":
    main()
