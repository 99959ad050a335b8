"""Manifests for the tests of pods, and initdata with a policy."""

import json
from collections.abc import Sequence

from kataui.kata import initdata
from kataui.kata.manifest import parse
from kataui.pods.model import Pod
from kataui.pods.read import pods_of

CLASS = "kata-qemu-snp-runtime-rs"
DIGEST = "sha256:" + "ab" * 32
IMAGE = f"registry.example/team/app@{DIGEST}"
POLICY = {
    "default": [{"type": "reject"}],
    "transports": {
        "docker": {
            "registry.example/team": [
                {
                    "type": "sigstoreSigned",
                    "keyPath": "kbs:///default/cosign-key/1",
                    "signedIdentity": {"type": "matchRepository"},
                }
            ]
        }
    },
}


def manifest(
    *,
    images: Sequence[str] = (IMAGE,),
    annotations: dict[str, str] | None = None,
    runtime_class: str = CLASS,
    **spec: object,
) -> str:
    """A pod with a container an image, as JSON, which is YAML."""
    containers = [{"name": f"c{number}", "image": image} for number, image in enumerate(images)]
    value = {
        "apiVersion": "v1",
        "kind": "Pod",
        "metadata": {"name": "web", "annotations": annotations or {}},
        "spec": {"runtimeClassName": runtime_class, "containers": containers, **spec},
    }
    return json.dumps(value)


def pods(text: str) -> tuple[Pod, ...]:
    """The pods of a manifest."""
    return pods_of(parse(text, "pod.yaml"))


def genpolicy(images: Sequence[str] = (IMAGE,), **requests: object) -> str:
    """A policy as genpolicy writes it: the pause container, then one an image."""
    containers = [{"OCI": {"Annotations": {"io.kubernetes.cri.container-type": "sandbox"}}}]
    containers += [
        {"OCI": {"Annotations": {"io.kubernetes.cri.image-name": image}}} for image in images
    ]
    data = {"containers": containers, "request_defaults": requests}
    return f"package agent_policy\n\npolicy_data := {json.dumps(data, indent=2)}\n"


def with_initdata(policy: str, image_policy: object = POLICY) -> dict[str, str]:
    """Annotations with initdata that has a policy and an image policy."""
    cdh = f"[image]\nimage_security_policy = {json.dumps(json.dumps(image_policy))}\n"
    text = (
        'version = "0.1.0"\nalgorithm = "sha256"\n[data]\n'
        f"\"policy.rego\" = '''\n{policy}'''\n\"cdh.toml\" = '''\n{cdh}'''\n"
    )
    return {initdata.ANNOTATION: initdata.to_annotation(text)}
