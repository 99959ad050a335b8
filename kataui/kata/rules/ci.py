"""Where CI systems ignore a runtime class without a word, and what they take it for.

Source: the references of each system: Tekton 1.15 (docs/podtemplates.md), Argo Workflows 4.1
(docs/fields.md), Actions Runner Controller 0.14 and its container hooks, GitLab runner 19.4 and its
chart, Woodpecker 3.17, Jenkins' Kubernetes plugin.
"""

from collections.abc import Iterator

from kataui.findings import Finding
from kataui.kata import cipods, classes, systems
from kataui.kata.embedded import Role
from kataui.kata.manifest import Document, Path, list_at, mapping_at, text_at, value_at
from kataui.kata.rules.memory import limits_of
from kataui.kata.rules.scene import ERROR, INFO, WARNING, Part, Scene, finding

_KEY = "runtimeClassName"
HOOK_ENV = "ACTIONS_RUNNER_CONTAINER_HOOK_TEMPLATE"
_ALLOW = "WOODPECKER_BACKEND_K8S_RUNTIME_CLASS_ALLOW_FROM_STEP"
_OVERWRITES = (
    "pod_annotations_overwrite_allowed",
    "node_selector_overwrite_allowed",
    "service_account_overwrite_allowed",
)


def check_part(part: Part, scene: Scene) -> Iterator[Finding]:
    """The traps of the system that a document belongs to."""
    document = part.document
    if part.role is not None and part.role not in (Role.VALUES, Role.TOML):
        return
    if part.system == systems.TEKTON:
        yield from _tekton(document)
    elif part.system == systems.ARGO:
        yield from _argo(document)
    elif part.system == systems.ARC:
        yield from _arc(document)
    elif part.system == systems.WOODPECKER:
        yield from _woodpecker(document, scene)
    elif part.system == systems.GITLAB:
        yield from _gitlab(document, scene)
    elif part.system == systems.JENKINS:
        yield from _jenkins(document)


def _tekton(document: Document) -> Iterator[Finding]:
    for at, kind in cipods.tekton_objects(document):
        run = mapping_at(document.value, at) if at else document.mapping
        if kind == "PipelineRun" and run.get("apiVersion") == "tekton.dev/v1":
            old = (*at, "spec", "podTemplate")
            if value_at(document.value, old) is not None:
                yield finding(
                    "K-TKN-1",
                    ERROR,
                    document,
                    old,
                    "Tekton ignores podTemplate here; use taskRunTemplate.podTemplate.",
                    why="In tekton.dev/v1 it moved. The tasks do not get the class and share the "
                    "kernel of their node.",
                    fix="spec:\n  taskRunTemplate:\n    podTemplate: …",
                )
    claims = _claims(document)
    for path in cipods.tekton_templates(document):
        template = mapping_at(document.value, path)
        name = text_at(template, (_KEY,))
        label = mapping_at(template, ("nodeSelector",)).get(classes.NODE_LABEL)
        if claims and classes.is_kata(name) and label is None:
            yield finding(
                "K-TKN-2",
                WARNING,
                document,
                (*path, _KEY),
                "The class stands without the node label, and tasks share a volume.",
                why="Tekton's affinity assistant does not know the class. It may take a node "
                "without Kata, and the run then waits for ever.",
                fix=f'nodeSelector:\n  {classes.NODE_LABEL}: "true"',
            )
    yield from _steps(document)


def _claims(document: Document) -> bool:
    return any(
        "volumeClaimTemplate" in space or "persistentVolumeClaim" in space
        for at, _ in cipods.tekton_objects(document)
        for space in list_at(document.value, (*at, "spec", "workspaces"))
        if isinstance(space, dict)
    )


def _steps(document: Document) -> Iterator[Finding]:
    """Steps run one after the other, but Kata adds up their limits."""
    if document.kind not in ("Task", "ClusterTask"):
        return
    path: Path = ("spec", "steps")
    steps = [step for step in list_at(document.value, path) if isinstance(step, dict)]
    limits = [str(limits_of(step).get("memory")) for step in steps if limits_of(step)]
    if len(limits) > 1 and len(set(limits)) == 1 and len(limits) == len(steps):
        yield finding(
            "K-TKN-3",
            INFO,
            document,
            path,
            f"The machine is {len(limits)} times {limits[0]}: Kata adds up the limits of all "
            "steps.",
            why="Steps are containers of one pod, though they run one after the other.",
            fix="Give the step that needs it the large limit, and the others small ones.",
        )


def _argo(document: Document) -> Iterator[Finding]:
    base = cipods.argo_base(document)
    places = [base, *((*base, "templates", n) for n in range(_templates(document, base)))]
    for place in places:
        if _KEY in mapping_at(document.value, place):
            yield finding(
                "K-ARGO-1",
                ERROR,
                document,
                (*place, _KEY),
                "Argo ignores a runtime class here.",
                why="It has no such field, and its schema takes any: the pods share the kernel "
                "of their node.",
                fix=f"podSpecPatch: |\n  {_KEY}: {classes.DEFAULT}",
            )
    collected = (*base, "artifactGC")
    patched = text_at(document.value, (*collected, "podSpecPatch"))
    if cipods.argo_class(document) and mapping_at(document.value, collected) and not patched:
        yield finding(
            "K-ARGO-2",
            WARNING,
            document,
            collected,
            "The pods that remove artifacts do not get the class.",
            why="They are patched by a field of their own.",
            fix="artifactGC:\n  podSpecPatch: …",
        )


def _templates(document: Document, base: Path) -> int:
    return len(list_at(document.value, (*base, "templates")))


def _arc(document: Document) -> Iterator[Finding]:
    mode = text_at(document.value, ("containerMode", "type"))
    spec: Path = ("template", "spec") if not document.kind else ("spec", "template", "spec")
    name = text_at(document.value, (*spec, _KEY))
    if mode.startswith("kubernetes") and not _hooked(document, spec):
        yield finding(
            "K-ARC-1",
            ERROR if classes.is_kata(name) else WARNING,
            document,
            ("containerMode", "type"),
            "Jobs run in pods of their own, and those do not get the class.",
            why="The hooks of the runner make them. The listing says Kata, and the untrusted code "
            "runs on the kernel of the node.",
            fix=f"Mount a hook template with spec.{_KEY}, and set {HOOK_ENV} to it.",
        )
    elif mode == "dind" and classes.is_kata(name):
        yield finding(
            "K-ARC-2",
            WARNING,
            document,
            ("containerMode", "type"),
            "The chart's dind has no volume for /var/lib/docker.",
            why="On Kata its layers then lie on virtio-fs, and Docker copies every one of them.",
            fix="Leave containerMode out, and write the dind container with a memory emptyDir.",
        )


def _hooked(document: Document, spec: Path) -> bool:
    return any(
        isinstance(variable, dict) and variable.get("name") == HOOK_ENV
        for container in list_at(document.value, (*spec, "containers"))
        for variable in list_at(container, ("env",))
    )


def _woodpecker(document: Document, scene: Scene) -> Iterator[Finding]:
    for path, step in systems.steps_of(document.mapping):
        name = text_at(step, ("backend_options", "kubernetes", _KEY))
        if classes.is_kata(name) and scene.agent is not True:
            yield finding(
                "K-WP-1",
                WARNING if scene.agent is None else ERROR,
                document,
                (*path, "backend_options", "kubernetes", _KEY),
                "Agents after 3.17 ignore a step's class unless they are told to allow it.",
                why="They say nothing: the step runs on the kernel of its node.",
                fix=f'agent:\n  env:\n    {_ALLOW}: "true"',
            )
            return


def _gitlab(document: Document, scene: Scene) -> Iterator[Finding]:
    if document.mapping.get(_KEY):
        jobs = any(place.inherited for part in scene.parts for place in part.places)
        yield finding(
            "K-GL-1",
            WARNING if jobs else ERROR,
            document,
            (_KEY,),
            "At the top, the class is for the runner's manager only.",
            why="Jobs do not get it: they need runtime_class_name in runners.config.",
            fix=f"runners:\n  config: |\n    [[runners]]\n      [runners.kubernetes]\n        "
            f'runtime_class_name = "{classes.DEFAULT}"',
        )
    for number, runner in enumerate(list_at(document.value, ("runners",))):
        settings = mapping_at(runner, ("kubernetes",))
        for key in _OVERWRITES:
            if settings.get(key) and classes.is_kata(str(settings.get("runtime_class_name"))):
                yield finding(
                    "K-GL-2",
                    WARNING,
                    document,
                    ("runners", number, "kubernetes", key),
                    f"A job may set {key.removesuffix('_overwrite_allowed')}.",
                    why="Annotations of Kata change the virtual machine; a job could weaken its "
                    "own.",
                    fix=f'{key} = ""',
                )


def _jenkins(document: Document) -> Iterator[Finding]:
    for cloud in range(len(list_at(document.value, ("jenkins", "clouds")))):
        base: Path = ("jenkins", "clouds", cloud, "kubernetes", "templates")
        for number, template in enumerate(list_at(document.value, base)):
            inherits = text_at(template, ("inheritFrom",)) and text_at(template, ("yaml",))
            if inherits and text_at(template, ("yamlMergeStrategy",)) != "merge":
                yield finding(
                    "K-JEN-1",
                    WARNING,
                    document,
                    (*base, number, "yaml"),
                    "What the parent's yaml says is thrown away, its class too.",
                    why='The strategy is "override" unless it is set.',
                    fix='yamlMergeStrategy: "merge"',
                )
