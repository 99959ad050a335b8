"""The tour: every screen of the window, one after the other, on the demo's data."""

from collections.abc import Iterator
from dataclasses import replace

from PySide6.QtWidgets import QSlider

from kataui.progress import Progress
from kataui.ui.demo.scratch import IDENTITY
from kataui.ui.demo.stage import FORM, Stage
from kataui.ui.images.flow import STEPS, Step
from kataui.ui.images.opening import TOOLS
from kataui.ui.images.wizard import ProtectWizard
from kataui.ui.images.worklines import plan
from kataui.ui.window import HOME

_OTHER_FORM = "gitlab-runner"
_CHECKED_S = 0.8  # a form is checked a moment after the last answer
_ROWS_S = 0.6  # many rows find their heights
_TASK = """\
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


def screens(stage: Stage) -> Iterator[str]:
    """Go from screen to screen; the name of each comes when it is shown whole."""
    for part in (_places, _images, _pods, _wizard, _pipelines, _isolation):
        for name in part(stage):
            stage.settle()
            yield name
    stage.window.go(HOME)
    stage.settle()
    yield "home-recent"


def _places(stage: Stage) -> Iterator[str]:
    """What the sidebar has without anything being open."""
    keys = stage.window.sidebar.keys()
    for key in keys:
        stage.window.go(key)
        stage.settle()
        stage.settle(_ROWS_S if key == "computer" else 0)
        yield key
    for key in TOOLS:
        stage.images.open_tool(key)
        yield key
        stage.window.close_page(key)


def _images(stage: Stage) -> Iterator[str]:
    scratch = stage.scratch
    stage.open_image(scratch.source)
    yield "opened-source"
    stage.open_image(scratch.protected)
    yield "opened-protected"
    stage.images.start_verify(str(scratch.protected), str(scratch.keys.public_key))
    stage.page.key.set_text(str(scratch.keys.private_key))
    stage.page.start()
    yield "verified"
    stage.images.open_tool("compare")
    page = stage.page
    page.image.set_text(str(scratch.source))
    page.other.set_text(str(scratch.protected))
    page.key.set_text(str(scratch.keys.private_key))
    page.start()
    yield "images-compared"


def _pods(stage: Stage) -> Iterator[str]:
    scratch = stage.scratch
    stage.open_pod(scratch.live)
    yield "pod-audited"
    stage.open_pod(scratch.manifest)
    stage.settle()
    page = stage.page
    slider = page.findChildren(QSlider)[0]
    for stop in range(3):
        slider.setValue(stop)
        page.scroller.ensureWidgetVisible(slider)
        yield f"pod-slider-{stop}"
    page.prepare()
    yield "pod-prepare"
    stage.page.launch.unfold()
    stage.page.scroller.ensureWidgetVisible(stage.page.launch)
    yield "pod-prepare-snp"
    stage.window.close_page("podprepare")
    page.show_pins()
    yield "pod-pins"
    stage.images.open_tool("podcompare")
    page = stage.page
    page.fill(str(scratch.lock), str(scratch.public_key))
    page.file.set_text(str(scratch.live))
    page.start()
    yield "pod-compared"


def _wizard(stage: Stage) -> Iterator[str]:
    """The wizard, filled in; its last step is shown with a proof."""
    scratch = stage.scratch
    stage.images.start_protect((f"oci:{scratch.source}",))
    wizard: ProtectWizard = stage.page
    yield "wizard-source"
    wizard.go_on()
    stage.settle()
    answers = replace(
        wizard.flow.answers,
        recipients=(scratch.keys.recipient_spec,),
        sign_key=str(scratch.keys.sign_key),
        identity=IDENTITY,
        destination=str(scratch.folder / "checkout-again"),
        keys=(str(scratch.keys.private_key),),
    )
    for layers in ("above-base", "1,2", "all"):
        wizard.flow = replace(wizard.flow, answers=replace(answers, layers=layers, base="2"))
        wizard.go(Step.LAYERS)
        yield f"wizard-layers-{'some' if ',' in layers else layers}"
    for step in STEPS[2 : STEPS.index(Step.PROTECT)]:
        wizard.go(step)
        yield f"wizard-{step.value.lower()}"
    wizard.go(Step.RECIPIENTS)
    wizard.set_expert("Expert")
    yield "wizard-recipients-expert"
    wizard.set_expert("Guided")
    yield from _working(stage, wizard)
    wizard.run({f"Passphrase of {scratch.keys.sign_key.name}": ""})
    stage.settle()
    yield "wizard-proof"


def _working(stage: Stage, wizard: ProtectWizard) -> Iterator[str]:
    """The work as it looks half way, and its line when another page is shown."""
    work = wizard.work_step
    work.begin(plan(wizard.flow))
    wizard.go(Step.PROTECT)
    work.show_progress(Progress("Encrypting layer 3 of 4", 1_300_000, 2_098_000))
    yield "wizard-protect"
    key = stage.window.current_key
    stage.window.go("images")
    yield "docked"
    stage.window.go(key)
    work.end()


def _pipelines(stage: Stage) -> Iterator[str]:
    """Two forms, an export, and a file that is put on Kata."""
    for name in (_OTHER_FORM, FORM):
        stage.open_form(name, filled=False)
        stage.settle(_CHECKED_S)
        yield f"form-{name}"
        stage.open_form(name)
        stage.settle(_CHECKED_S)
        yield f"filled-{name}"
    page = stage.page
    page.export()
    page.exporting.folder.set_text(str(stage.scratch.folder / "pipeline"))
    yield "pipeline-export"
    task = stage.scratch.folder / "task.yaml"
    task.write_text(_TASK, encoding="utf-8")
    stage.open_pipeline(task)
    yield "pipeline-file"
    stage.page.adopt()
    yield "pipeline-adopt"


def _isolation(stage: Stage) -> Iterator[str]:
    """A recorded incident in each of its views."""
    stage.open_recording("cpu-neighbour")
    stage.settle()
    stage.seek(80)
    stage.settle()
    page = stage.page
    for index in range(page.tabs.count()):
        page.tabs.setCurrentIndex(index)
        yield f"isolation-{page.tabs.tabText(index).split(' ')[0].lower()}"
    page.open_sandbox(page.deck.picture.view.sandboxes[0].key)
    yield "isolation-sandbox"
