"""T14: only images that somebody signed may start.

Source: sigstore/policy-controller, config/300-clusterimagepolicy.yaml (v1beta1); Kyverno,
kyverno.io/v1 ClusterPolicy, "verifyImages".
"""

from typing import Any

from kataui.pipelines import parts
from kataui.pipelines.model import Answered, Made, Output, Stage, Where

_README = """\
# {name}

    kubectl apply -f policy.yaml -f namespace.yaml

Try it: an image that nobody signed is {otherwise}.

    kubectl -n {namespace} run unsigned --image=docker.io/library/busybox:1.37.0 --dry-run=server

What kataui's protect wizard signed is accepted once it is pushed with its signature: the receipt
of the wizard ends with the push commands. Signatures must be over the digest that is pulled, so
name images by digest.
"""


def render(answered: Answered) -> Output:
    """The policy, and the namespace that it looks at."""
    controller = answered.text("engine") == "policy-controller"
    policy = _image_policy(answered) if controller else _kyverno(answered)
    refused = answered.text("mode") == "enforce"
    readme = _README.format(
        name=answered.text("name"),
        namespace=answered.text("namespace"),
        otherwise="refused" if refused else "let in with a warning",
    )
    labels = {"policy.sigstore.dev/include": "true"} if controller else {}
    namespace = {
        "apiVersion": "v1",
        "kind": "Namespace",
        "metadata": {
            "name": answered.text("namespace"),
            "labels": {**parts.labels(answered), **labels},
        },
    }
    files = (
        Made("policy.yaml", (policy,)),
        Made("namespace.yaml", (namespace,)),
        Made("README.md", text=readme, language="markdown"),
    )
    stage = Stage(
        "Admission",
        Where.CONTAINER,
        "signed images only" if refused else "warns",
        icon="sign",
        file="policy.yaml",
        path=("spec",),
        field="mode",
    )
    return Output(files, (stage,))


def _metadata(answered: Answered) -> dict[str, Any]:
    return {"name": answered.text("name"), "labels": parts.labels(answered)}


def _image_policy(answered: Answered) -> dict[str, Any]:
    if answered.text("authority") == "key":
        authority: dict[str, Any] = {
            "name": "key",
            "key": {"data": f"{answered.text('publicKey').strip()}\n", "hashAlgorithm": "sha256"},
        }
    else:
        identity = {
            "issuer": answered.text("issuer"),
            "subjectRegExp": answered.text("subject"),
        }
        authority = {
            "name": "keyless",
            "keyless": {"url": "https://fulcio.sigstore.dev", "identities": [identity]},
            "ctlog": {"url": "https://rekor.sigstore.dev"},
        }
    return {
        "apiVersion": "policy.sigstore.dev/v1beta1",
        "kind": "ClusterImagePolicy",
        "metadata": _metadata(answered),
        "spec": {
            "mode": answered.text("mode"),
            "images": [{"glob": pattern} for pattern in answered.items("images")],
            "authorities": [authority],
        },
    }


def _attestor(answered: Answered) -> dict[str, Any]:
    if answered.text("authority") == "key":
        # Without the log: a key's signature is checked without any service on the internet.
        return {
            "keys": {
                "publicKeys": f"{answered.text('publicKey').strip()}\n",
                "rekor": {"ignoreTlog": True},
                "ctlog": {"ignoreSCT": True},
            }
        }
    return {
        "keyless": {
            "issuer": answered.text("issuer"),
            "subjectRegExp": answered.text("subject"),
            "rekor": {"url": "https://rekor.sigstore.dev"},
        }
    }


def _kyverno(answered: Answered) -> dict[str, Any]:
    entry = _attestor(answered)
    enforce = answered.text("mode") == "enforce"
    where = {"kinds": ["Pod"], "namespaces": [answered.text("namespace")]}
    verify = {
        "imageReferences": answered.items("images"),
        "failureAction": "Enforce" if enforce else "Audit",
        "mutateDigest": enforce,
        "verifyDigest": enforce,
        "required": True,
        "attestors": [{"count": 1, "entries": [entry]}],
    }
    rule = {
        "name": "signed",
        "match": {"any": [{"resources": where}]},
        "verifyImages": [verify],
    }
    return {
        "apiVersion": "kyverno.io/v1",
        "kind": "ClusterPolicy",
        "metadata": _metadata(answered),
        "spec": {
            "webhookConfiguration": {"timeoutSeconds": 30},
            "background": False,
            "rules": [rule],
        },
    }
