"""Answers for templates: what a person would fill in, and every pair of choices at least once."""

from collections.abc import Iterator
from itertools import combinations

from kataui.pipelines.model import Kind, Parameter, Template, Value

_PEM = "-----BEGIN {0}-----\nMFkwEwYHKoZIzj0CAQYIKoZIzj0DAQcDQgAE\n-----END {0}-----\n"
FILLED: dict[str, Value] = {
    "gitUrl": "https://git.example.org/shop/checkout.git",
    "repository": "https://git.example.org/shop/deploy.git",
    "githubUrl": "https://github.com/example/shop",
    "pushTo": "registry.example.org/staging/checkout",
    "finalImage": "registry.example.org/shop/checkout:1.0",
    "image": f"registry.example.org/shop/checkout@sha256:{'0' * 64}",
    "kbsUrl": "https://kbs.example.org:8080",
    "kbsCertificate": _PEM.format("CERTIFICATE"),
    "publicKey": _PEM.format("PUBLIC KEY"),
    "subject": "^https://github\\.com/example/.*$",
    "policy": "package agent_policy\n\ndefault AllowRequests := false\n",
    "digest": f"sha256:{'1' * 64}",
    "confidentialClass": "kata-qemu-snp",
    "storageClass": "fast",
    "sharedVolume": "nfs",
    "inheritFrom": "base",
    "node": "worker-1.example.org",
    "helperImage": "registry.example.org/gitlab/gitlab-runner-helper:v19.4.0",
}
_OTHERS: dict[Kind, Value] = {
    Kind.TEXT: "other",
    Kind.NAME: "other-name",
    Kind.CLASS: "kata-clh-runtime-rs",
    Kind.CPU: "3",
    Kind.MEMORY: "13Gi",
    Kind.SECRET: "other-secret",
}


def usual(template: Template) -> dict[str, Value]:
    """The defaults, with what has to be given filled in."""
    return {
        parameter.name: FILLED[parameter.name]
        for parameter in template.parameters
        if parameter.default in ("", [], {}) and parameter.required
    }


def _values(parameter: Parameter) -> list[Value]:
    """The values of one question that lead to different files."""
    found: list[Value] = [parameter.default]
    if parameter.kind is Kind.SWITCH:
        found = [True, False]
    elif parameter.kind is Kind.CHOICE:
        found = [choice.value for choice in parameter.choices]
    elif not parameter.required and parameter.name in FILLED:
        found = [parameter.default, FILLED[parameter.name]]
    elif parameter.kind in _OTHERS and not parameter.pattern and parameter.default:
        found = [parameter.default, _OTHERS[parameter.kind]]
    elif parameter.kind is Kind.MAP:
        found = [{}, {"example.org/pool": "ci"}]
    return found


def pairwise(template: Template) -> Iterator[dict[str, Value]]:
    """Answers in which each two values of each two questions come together at least once."""
    base = usual(template)
    asked = [p for p in template.parameters if p.name not in base]
    choices = {p.name: values for p in asked if len(values := _values(p)) > 1}
    missing = {
        _pair(one, a, two, b)
        for one, two in combinations(choices, 2)
        for a in range(len(choices[one]))
        for b in range(len(choices[two]))
    }
    while missing:
        picked = dict(min(missing))
        for name, values in choices.items():
            if name not in picked:
                gains = [
                    sum(_pair(name, n, other, picked[other]) in missing for other in picked)
                    for n in range(len(values))
                ]
                picked[name] = gains.index(max(gains))
        missing -= {_pair(a, picked[a], b, picked[b]) for a, b in combinations(choices, 2)}
        yield {**base, **{name: choices[name][value] for name, value in picked.items()}}


def _pair(one: str, a: int, two: str, b: int) -> tuple[tuple[str, int], tuple[str, int]]:
    first, second = sorted(((one, a), (two, b)))
    return first, second
