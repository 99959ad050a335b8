"""T13: privileged containers only on Kata, and only for some service accounts."""

import json

from kataui.pipelines import guard, parts
from kataui.pipelines.model import Answered, Made, Output, Stage, Where

_UNPRIVILEGED = (
    "(!has(object.spec.{group}) || object.spec.{group}.all(c, !has(c.securityContext) || "
    "!has(c.securityContext.privileged) || !c.securityContext.privileged))"
)
_README = """\
# {name}

    kubectl apply -f policy.yaml
    kubectl label namespace NAMESPACE {label}=required

The namespace has to allow privileged pods, for Pod Security knows no virtual machines; this policy
then refuses them unless they are on Kata and use one of these accounts: {accounts}.

    kubectl label namespace NAMESPACE pod-security.kubernetes.io/enforce=privileged

It holds where containerd has privileged_without_host_devices = true for the class, as kata-deploy
sets it. Look on a node:

    crictl info | grep -A5 kata
"""


def render(answered: Answered) -> Output:
    """The policy, its binding, and how to use them."""
    groups = ("containers", "initContainers", "ephemeralContainers")
    plain = " && ".join(_UNPRIVILEGED.format(group=group) for group in groups)
    accounts = answered.items("accounts")
    account = (
        "has(object.spec.serviceAccountName) && "
        f"object.spec.serviceAccountName in {json.dumps(accounts)}"
    )
    allowed = f"{guard.in_classes(answered.items('classes'))} && {account}"
    message = "Privileged containers need a class of Kata and an account that may have them."
    where = {"matchLabels": {answered.text("label"): "required"}}
    rules = [guard.validation(f"({plain}) || ({allowed})", message)]
    objects = guard.policy(answered.text("name"), where, rules, parts.labels(answered))
    readme = _README.format(
        name=answered.text("name"), label=answered.text("label"), accounts=", ".join(accounts)
    )
    stage = Stage(
        "Admission",
        Where.CONTAINER,
        "privileged in a VM only",
        icon="shield",
        file="policy.yaml",
        path=("spec", "validations"),
        field="classes",
    )
    files = (
        Made("policy.yaml", tuple(objects)),
        Made("README.md", text=readme, language="markdown"),
    )
    return Output(files, (stage,))
