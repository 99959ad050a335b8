"""T6: an image is built, scanned and signed by Tekton, every task on Kata."""

from kataui.pipelines.model import Answered, Made, Output, Stage, Where
from kataui.pipelines.renderers import tektonparts as tekton

_README = """\
# {name}

Once:

    kubectl apply -f namespace.yaml
    kubectl -n {namespace} create secret docker-registry {registry} \\
      --docker-server=REGISTRY --docker-username=USER --docker-password="$(cat password.txt)"
{sign}    kubectl apply -f tasks.yaml -f pipeline.yaml

Each build:

    kubectl create -f run.yaml
    kubectl -n {namespace} get pipelineruns --watch

See that every task had a machine of its own:

    kubectl -n {namespace} get pods \\
      -o custom-columns=POD:.metadata.name,CLASS:.spec.runtimeClassName

Clone, test and build share one machine, for a boot costs seconds; scanning and signing each have
another, so that what was built never shares a kernel with the key.
"""
_KEY = "    cosign generate-key-pair k8s://{namespace}/{secret}\n"


def render(answered: Answered) -> Output:
    """Tasks, pipeline, run, namespace, and how to use them."""
    image = answered.text("pushTo")
    reference = f"{image}@$(params.digest)"
    tasks = [tekton.build_task(answered, image)]
    chain = [tekton.pipeline_task(answered, "build", digest_from="")]
    if answered.on("scan"):
        spec = {
            "params": tekton.digest_param(),
            "steps": [tekton.scan_step(answered, reference)],
            "volumes": [tekton.registry_volume(answered)],
        }
        tasks.append(tekton.task(answered, "scan", spec))
        chain.append(tekton.pipeline_task(answered, "scan"))
    if answered.text("sign") != "none":
        spec = {
            "params": tekton.digest_param(),
            "steps": tekton.sign_steps(answered, reference),
            "volumes": tekton.sign_volumes(answered),
        }
        tasks.append(tekton.task(answered, "sign", spec))
        after = "scan" if answered.on("scan") else ""
        chain.append(tekton.pipeline_task(answered, "sign", after=after))
    files = (
        Made("run.yaml", (tekton.run(answered),)),
        Made("pipeline.yaml", (tekton.pipeline(answered, chain),)),
        Made("tasks.yaml", tuple(tasks)),
        Made("namespace.yaml", tekton.namespace(answered)),
        Made("README.md", text=_readme(answered), language="markdown"),
    )
    return Output(files, tuple(stages(answered)))


def _readme(answered: Answered) -> str:
    namespace = answered.text("namespace")
    key = _KEY.format(namespace=namespace, secret=answered.text("signSecret"))
    return _README.format(
        name=answered.text("name"),
        namespace=namespace,
        registry=answered.text("registrySecret"),
        sign=key if answered.text("sign") == "key" else "",
    )


def stages(answered: Answered) -> list[Stage]:
    """The strip: each stage points at its step."""
    names = ["clone", *(["test"] if answered.on("test") else []), "build"]
    icons = {"clone": "file", "test": "check", "build": "image"}
    found = [
        Stage(
            name.capitalize(),
            Where.VM,
            "own VM",
            icon=icons[name],
            file="tasks.yaml",
            document=0,
            path=("spec", "steps", number),
            field="builder" if name == "build" else "gitUrl",
        )
        for number, name in enumerate(names)
    ]
    document = 1
    for name, icon, field, wanted in (
        ("Scan", "search", "scan", answered.on("scan")),
        ("Sign", "sign", "sign", answered.text("sign") != "none"),
    ):
        if wanted:
            place = ("spec", "steps", 0)
            found.append(
                Stage(name, Where.VM, "own VM", icon, "tasks.yaml", document, place, field)
            )
            document += 1
    return found
