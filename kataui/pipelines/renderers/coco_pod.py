"""T9: an application in a confidential VM, with its initdata.

Source: Confidential Containers, "initdata" and "encrypted images"; trustee kbs/docs; Kata,
docs/Limitations.md (a guest that pulls loses the image's user).
"""

from typing import Any

from kataui.kata import initdata
from kataui.pipelines import coco, parts
from kataui.pipelines.model import Answered, Made, Output, Stage, Where

_README = """\
# {name}

    kubectl apply -f deploy.yaml
    kubectl -n {namespace} get pods --watch

Before that, the key broker has to know when to give out keys. `initdata.toml` is what the guest is
told; its {algorithm} digest is

    {digest}

The hardware reports it, so a rule that names it gives keys to this guest and to no other. Without
such a rule a host could start a guest of its own making and get the keys. `kbs-policy.rego` is one:

    kbs-client --url {url} config --admin-token-file admin.token \\
      set-resource-policy --policy-file kbs-policy.rego

Change nothing in `initdata.toml`, not even a blank: the digest is over its bytes.
{policy}
Nothing starts? Try in this order: the same pod with a plain image; the evidence (`kbs-client
attest`); the token; the key by its path.
"""
_NO_POLICY = """
**There is no agent policy yet.** Make one from the final manifest, and enter it in the form:

    genpolicy -y deploy.yaml
"""
_RULE = """\
package policy

default allow = false

# Keys only for the guest that was started with this initdata, on hardware that is trusted.
allow if {{
    every _, module in input["submods"] {{
        module["ear.status"] == "affirming"
    }}
    evidence := input["submods"]["cpu0"]["ear.veraison.annotated-evidence"]
    evidence["init_data"] == "{digest}"
}}
"""


def render(answered: Answered) -> Output:
    """The deployment, its initdata, the key broker's rule, and how to use them."""
    toml = coco.initdata_toml(answered, policy=answered.text("policy"))
    told = initdata.read(toml)
    digest = told.reported(coco.platform(answered)).hex()
    readme = _README.format(
        name=answered.text("name"),
        namespace=answered.text("namespace"),
        url=answered.text("kbsUrl"),
        algorithm=told.algorithm,
        digest=digest,
        policy="" if answered.text("policy").strip() else _NO_POLICY,
    )
    files = (
        Made("deploy.yaml", (_namespace(answered), workload(answered, toml))),
        Made("initdata.toml", text=toml, language="toml"),
        Made("kbs-policy.rego", text=rule(digest), language="text"),
        Made("README.md", text=readme, language="markdown"),
    )
    pod: tuple[str, ...] = ("spec",)
    if answered.text("kind") == "Deployment":
        pod = ("spec", "template", "spec")
    where = Where.VM if coco.platform(answered) == "dev" else Where.CONFIDENTIAL
    stage = Stage(
        answered.text("name"),
        where,
        "confidential VM" if where is Where.CONFIDENTIAL else "no hardware protects it",
        icon="lock",
        file="deploy.yaml",
        document=1,
        path=(*pod, "runtimeClassName"),
        field="tee",
    )
    return Output(files, (stage,))


def rule(digest: str) -> str:
    """The key broker's rule that gives keys to the guest with this initdata only."""
    return _RULE.format(digest=digest)


def _namespace(answered: Answered) -> dict[str, Any]:
    name = answered.text("namespace")
    return {
        "apiVersion": "v1",
        "kind": "Namespace",
        "metadata": {"name": name, "labels": parts.labels(answered)},
    }


def workload(answered: Answered, toml: str) -> dict[str, Any]:
    """A pod or deployment with the initdata as its annotation."""
    annotations = {initdata.ANNOTATION: initdata.to_annotation(toml)}
    pod = _pod(answered)
    if answered.text("kind") == "Pod":
        return {
            "apiVersion": "v1",
            "kind": "Pod",
            "metadata": parts.metadata(answered, annotations=annotations),
            "spec": pod,
        }
    selector = {"app.kubernetes.io/name": answered.text("name")}
    return {
        "apiVersion": "apps/v1",
        "kind": "Deployment",
        "metadata": parts.metadata(answered),
        "spec": {
            "replicas": answered.number("replicas"),
            "selector": {"matchLabels": selector},
            "template": {
                "metadata": {"labels": parts.labels(answered), "annotations": annotations},
                "spec": pod,
            },
        },
    }


def _pod(answered: Answered) -> dict[str, Any]:
    user, group = answered.number("runAsUser"), answered.number("runAsGroup")
    port = answered.number("port")
    container: dict[str, Any] = {
        "name": answered.text("name"),
        "image": answered.text("image"),
        "imagePullPolicy": "Always",
        "resources": parts.limits(answered.text("cpuLimit"), answered.text("memoryLimit")),
        "securityContext": {
            "allowPrivilegeEscalation": False,
            "capabilities": {"drop": ["ALL"]},
            "runAsUser": user,
            "runAsGroup": group,
        },
    }
    if port:
        container["ports"] = [{"containerPort": port}]
    selector = answered.pairs("nodeSelector")
    return {
        "runtimeClassName": coco.runtime_class(answered),
        **({"nodeSelector": selector} if selector else {}),
        "automountServiceAccountToken": False,
        "securityContext": {"fsGroup": group},
        "containers": [container],
    }
