"""T5: Jenkins agents on Kata, as configuration as code or as a Jenkinsfile.

Source: jenkinsci/kubernetes-plugin, README ("yaml", "yamlMergeStrategy") and its
configuration-as-code examples.
"""

import json
from typing import Any

from kataui.kata.yamlwriter import write
from kataui.pipelines import guard, parts
from kataui.pipelines.model import Answered, Made, Output, Stage, Where

_JENKINSFILE = """\
// Every build gets a pod in a virtual machine of its own.
pipeline {{
  agent {{
    kubernetes {{
      yamlFile 'agent.yaml'
      defaultContainer 'work'
    }}
  }}
  stages {{
    stage('Build') {{
      steps {{
        sh {command}
      }}
    }}
  }}
}}
"""
_README = """\
# {name}

    kubectl apply -f namespace.yaml

{how}
Every agent shows its class:

    kubectl -n {namespace} get pods \\
      -o custom-columns=POD:.metadata.name,CLASS:.spec.runtimeClassName

Whoever writes a Jenkinsfile may name a pod of his own; the guard in `namespace.yaml` refuses one
that is not on Kata.
"""
_JCASC = """\
Load `jenkins.yaml` as configuration as code, and ask for the label `{label}` in jobs. `Jenkinsfile`
is an example.
"""
_FILES = """\
Commit `Jenkinsfile` and `agent.yaml` into the repository that is built.
"""


def render(answered: Answered) -> Output:
    """The template or the Jenkinsfile, the namespace, and how to use them."""
    jcasc = answered.text("style") == "jcasc"
    jenkinsfile = Made("Jenkinsfile", text=_pipeline(answered, jcasc=jcasc), language="groovy")
    first = (
        (Made("jenkins.yaml", (_configuration(answered),)), jenkinsfile)
        if jcasc
        else (jenkinsfile, Made("agent.yaml", (_pod(answered),)))
    )
    readme = _README.format(
        name=answered.text("name"),
        namespace=answered.text("namespace"),
        how=_JCASC.format(label=answered.text("label")) if jcasc else _FILES,
    )
    files = (
        *first,
        Made("namespace.yaml", tuple(guard.namespace(answered))),
        Made("README.md", text=readme, language="markdown"),
    )
    file = "jenkins.yaml" if jcasc else "agent.yaml"
    path: tuple[str | int, ...] = ("jenkins", "clouds", 0, "kubernetes", "templates", 0, "yaml")
    stage = Stage(
        "Build",
        Where.VM,
        "own VM",
        icon="term",
        file=file,
        path=path if jcasc else ("spec", "runtimeClassName"),
        field="runtimeClass",
    )
    return Output(files, (stage,))


def _pod(answered: Answered) -> dict[str, Any]:
    limits = parts.limits(answered.text("cpuLimit"), answered.text("memoryLimit"))
    return {
        "apiVersion": "v1",
        "kind": "Pod",
        "spec": {
            **parts.on_kata(answered),
            "automountServiceAccountToken": False,
            "containers": [
                {
                    "name": "jnlp",
                    "image": answered.text("agentImage"),
                    "resources": parts.limits("500m", "512Mi"),
                },
                {
                    "name": "work",
                    "image": answered.text("image"),
                    "command": ["sleep", "infinity"],
                    "resources": limits,
                },
            ],
        },
    }


def _configuration(answered: Answered) -> dict[str, Any]:
    template: dict[str, Any] = {
        "name": answered.text("name"),
        "label": answered.text("label"),
        "namespace": answered.text("namespace"),
        "yaml": write([_pod(answered)]).text,
        "yamlMergeStrategy": "merge" if answered.text("inheritFrom") else "override",
        "slaveConnectTimeout": answered.number("connectTimeout"),
        "idleMinutes": answered.number("idleMinutes"),
        "podRetention": "never",
    }
    if answered.text("inheritFrom"):
        template["inheritFrom"] = answered.text("inheritFrom")
    cloud = {
        "name": answered.text("cloud"),
        "namespace": answered.text("namespace"),
        "jenkinsUrl": answered.text("jenkinsUrl"),
        "templates": [template],
    }
    return {"jenkins": {"clouds": [{"kubernetes": cloud}]}}


def _pipeline(answered: Answered, *, jcasc: bool) -> str:
    """Groovy's double-quoted strings would fill in ``$``, so it is escaped as well."""
    text = _JENKINSFILE.format(command=groovy(answered.text("command")))
    if not jcasc:
        return text
    agent = f"agent {{ label {groovy(answered.text('label'))} }}"
    begin, end = text.index("agent {"), text.index("  stages {")
    text = f"{text[:begin]}{agent}\n{text[end:]}"
    return text.replace("        sh ", "        container('work') { sh ").replace(
        groovy(answered.text("command")), f"{groovy(answered.text('command'))} }}"
    )


def groovy(text: str) -> str:
    """A string of Groovy in which nothing is filled in."""
    return json.dumps(text).replace("$", "\\$")
