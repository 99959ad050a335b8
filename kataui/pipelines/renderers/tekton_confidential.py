"""T8: build, scan, encrypt, prove, hand over the key, sign, deploy: an image for an attested guest.

Source: Confidential Containers, "encrypted images" (the key provider's image and its encrypt.sh);
trustee, kbs/docs/kbs.yaml (``POST /kbs/v0/resource/REPOSITORY/TYPE/TAG`` with a bearer token);
ocicrypt's annotation of a layer, ``org.opencontainers.image.enc.keys.provider.attestation-agent``.
"""

from typing import Any

from kataui.kata import initdata
from kataui.pipelines import coco
from kataui.pipelines.model import Answered, Made, Output, Stage, Where
from kataui.pipelines.renderers import coco_pod, tekton_build_sign
from kataui.pipelines.renderers import tektonparts as tekton

_KEY = """\
#!/bin/sh
set -eu
umask 077
if [ -e /given/key ]; then cat /given/key >/keys/key; else head -c 32 /dev/urandom >/keys/key; fi
[ "$(wc -c </keys/key)" = 32 ] || { echo "The key has to be 32 bytes."; exit 1; }
"""
_ENCRYPT = """\
#!/bin/sh
set -eu
/encrypt.sh -k "$(base64 </keys/key | tr -d '\\n')" -i "kbs:///$KBS_PATH" \\
  -s "docker://$PLAIN" -d "docker://$FINAL"
"""
_PROVE = """\
#!/bin/sh
# skopeo says nothing when layers stay readable, so what was pushed is read again.
set -eu
skopeo inspect --raw "docker://$FINAL" >/work/manifest.json
layers=$(grep -o '"mediaType": *"application/vnd[^"]*layer[^"]*"' /work/manifest.json | wc -l)
locked=$(grep -o '"mediaType": *"application/vnd[^"]*layer[^"]*+encrypted"' /work/manifest.json |
  wc -l)
if [ "$layers" -eq 0 ] || [ "$layers" -ne "$locked" ]; then
  echo "Only $locked of $layers layers are encrypted."
  exit 1
fi
name='org.opencontainers.image.enc.keys.provider.attestation-agent'
packets=$(grep -o "\\"$name\\": *\\"[^\\"]*\\"" /work/manifest.json | sed 's/.*: *"//; s/"$//')
found=$(echo "$packets" | wc -l)
[ "$found" -eq "$layers" ] || { echo "A layer has no key for a guest."; exit 1; }
for packet in $packets; do
  echo "$packet" | base64 -d | grep -q "kbs:///$KBS_PATH\\"" ||
    { echo "A layer is encrypted for another key."; exit 1; }
done
skopeo inspect --format '{{.Digest}}' "docker://$FINAL" | tr -d '\\n' >"$(results.digest.path)"
echo "All $layers layers are encrypted for kbs:///$KBS_PATH."
echo "Digest: $(cat "$(results.digest.path)")"
"""
_RELEASE = """\
#!/bin/sh
set -eu
printf 'header = "Authorization: Bearer %s"\\n' "$(cat /admin/token)" |
  curl --config - --fail --silent --show-error $CERTIFICATE --request POST \\
    --header 'Content-Type: application/octet-stream' --data-binary @/keys/key \\
    "$KBS_URL/kbs/v0/resource/$KBS_PATH"
"""
_README = """\
# {name}

Once:

    kubectl apply -f namespace.yaml
    kubectl -n {namespace} create secret docker-registry {registry} \\
      --docker-server=REGISTRY --docker-username=USER --docker-password="$(cat password.txt)"
    kubectl -n {namespace} create secret generic {admin} --from-file=token=admin.token
{sign}    kubectl apply -f tasks.yaml -f pipeline.yaml

Each build:

    kubectl create -f run.yaml
    kubectl -n {namespace} get pipelineruns --watch

The task `encrypt` prints the digest of what was pushed. Enter it in the form: `deploy.yaml` then
names exactly that image. Make the agent's policy last, for it has to fit the final manifest:

    genpolicy -y deploy.yaml

and enter it too. Then

    kubectl apply -f deploy.yaml

`initdata.toml` is what the guest is told. The key broker must give the key only to a guest that
reports its digest; `kbs-policy.rego` says so:

    {digest}

The key lies in the memory of one task and in the key broker, nowhere else. Scanning comes before
encryption, for no scanner can read an encrypted layer; signing comes after it, over the digest that
a cluster pulls.
"""


def render(answered: Answered) -> Output:
    """Tasks, pipeline and run; the deployment with its initdata and the key broker's rule."""
    toml = coco.initdata_toml(answered, policy=answered.text("policy"))
    digest = initdata.read(toml).reported(coco.platform(answered)).hex()
    deployed = coco_pod.workload(_Deployed(answered), toml)
    rule = coco_pod.rule(digest)
    files = (
        Made("run.yaml", (tekton.run(answered),)),
        Made("pipeline.yaml", (tekton.pipeline(answered, _chain(answered)),)),
        Made("tasks.yaml", tuple(_tasks(answered))),
        Made("deploy.yaml", (deployed,)),
        Made("initdata.toml", text=toml, language="toml"),
        Made("kbs-policy.rego", text=rule, language="text"),
        Made("namespace.yaml", tekton.namespace(answered)),
        Made("README.md", text=_readme(answered, digest), language="markdown"),
    )
    return Output(files, tuple(_stages(answered)))


class _Deployed(Answered):
    """The same answers, with the encrypted image as the one that runs."""

    def __init__(self, answered: Answered) -> None:
        image, digest = answered.text("finalImage"), answered.text("digest")
        values = {name: answered.value(name) for name in answered.names()}
        values["image"] = f"{image}@{digest}" if digest else image
        super().__init__(answered.template, values, answered.kubernetes)


def _tasks(answered: Answered) -> list[dict[str, Any]]:
    plain = f"{answered.text('pushTo')}@$(params.digest)"
    tasks = [tekton.build_task(answered, answered.text("pushTo"))]
    if answered.on("scan"):
        spec = {
            "params": tekton.digest_param(),
            "steps": [tekton.scan_step(answered, plain)],
            "volumes": [tekton.registry_volume(answered)],
        }
        tasks.append(tekton.task(answered, "scan", spec))
    tasks.append(_encrypt_task(answered, plain))
    if answered.text("sign") != "none":
        final = f"{answered.text('finalImage')}@$(params.digest)"
        spec = {
            "params": tekton.digest_param(),
            "steps": tekton.cosign_steps(answered, final),
            "volumes": tekton.sign_volumes(answered),
        }
        tasks.append(tekton.task(answered, "sign", spec))
    return tasks


def _encrypt_task(answered: Answered, plain: str) -> dict[str, Any]:
    """Key, encryption, proof and handing over, in one machine: the key never leaves its memory."""
    image = answered.text("keyproviderImage")
    keys = [{"name": "keys", "mountPath": "/keys"}]
    given = answered.text("keySource") == "secret"
    variables = tekton.env(
        PLAIN=plain,
        FINAL=answered.text("finalImage"),
        KBS_PATH=answered.text("kbsPath"),
        KBS_URL=answered.text("kbsUrl"),
        CERTIFICATE="--cacert /broker/ca.pem" if answered.text("kbsCertificate") else "",
    )
    given_mount = [{"name": "given", "mountPath": "/given"}] if given else []
    made = [
        ("key", image, tekton.SMALL, _KEY, [*keys, *given_mount]),
        ("encrypt", image, ("1", "2Gi"), _ENCRYPT, [*keys, _docker()]),
        ("prove", image, tekton.SMALL, _PROVE, [{"name": "work", "mountPath": "/work"}, _docker()]),
        (
            "release",
            answered.text("curlImage"),
            tekton.SMALL,
            _RELEASE,
            [*keys, *_broker(answered)],
        ),
    ]
    steps = [
        tekton.step(name, tool, limits, env=variables, script=script, volumeMounts=mounts)
        for name, tool, limits, script, mounts in made
    ]
    results = [{"name": "digest", "description": "Digest of the encrypted image."}]
    spec = {
        "params": tekton.digest_param(),
        "results": results,
        "steps": [_with_certificate(answered, step) for step in steps],
        "volumes": _volumes(answered, given=given),
    }
    return tekton.task(answered, "encrypt", spec)


def _docker() -> dict[str, Any]:
    return {"name": "registry", "mountPath": "/root/.docker"}


def _broker(answered: Answered) -> list[dict[str, Any]]:
    mounts = [{"name": "admin", "mountPath": "/admin"}]
    if answered.text("kbsCertificate"):
        mounts.append({"name": "broker", "mountPath": "/broker"})
    return mounts


def _with_certificate(answered: Answered, step: dict[str, Any]) -> dict[str, Any]:
    """The step that talks to the broker first writes the certificate that it shall trust."""
    if step["name"] != "release" or not answered.text("kbsCertificate"):
        return step
    certificate = answered.text("kbsCertificate").strip()
    lines = step["script"].split("\n", 2)
    writing = f"cat >/broker/ca.pem <<'END'\n{certificate}\nEND"
    return {**step, "script": "\n".join([*lines[:2], writing, lines[2]])}


def _volumes(answered: Answered, *, given: bool) -> list[dict[str, Any]]:
    volumes = [
        {"name": "keys", "emptyDir": {"medium": "Memory", "sizeLimit": "1Mi"}},
        {"name": "work", "emptyDir": {}},
        {"name": "admin", "secret": {"secretName": answered.text("adminSecret")}},
        tekton.registry_volume(answered),
    ]
    if given:
        volumes.append({"name": "given", "secret": {"secretName": answered.text("keySecret")}})
    if answered.text("kbsCertificate"):
        volumes.append({"name": "broker", "emptyDir": {}})
    return volumes


def _chain(answered: Answered) -> list[dict[str, Any]]:
    after = "scan" if answered.on("scan") else ""
    tasks = [tekton.pipeline_task(answered, "build", digest_from="")]
    if after:
        tasks.append(tekton.pipeline_task(answered, "scan"))
    tasks.append(tekton.pipeline_task(answered, "encrypt", after=after))
    if answered.text("sign") != "none":
        tasks.append(tekton.pipeline_task(answered, "sign", digest_from="encrypt"))
    return tasks


def _readme(answered: Answered, digest: str) -> str:
    namespace, secret = answered.text("namespace"), answered.text("signSecret")
    key = f"    cosign generate-key-pair k8s://{namespace}/{secret}\n"
    return _README.format(
        name=answered.text("name"),
        namespace=namespace,
        registry=answered.text("registrySecret"),
        admin=answered.text("adminSecret"),
        sign=key if answered.text("sign") == "key" else "",
        digest=digest,
    )


def _stages(answered: Answered) -> list[Stage]:
    built = [s for s in tekton_build_sign.stages(answered) if s.title != "Sign"]
    document = 2 if answered.on("scan") else 1
    inside = [
        Stage(
            title,
            Where.VM,
            "own VM",
            icon=icon,
            file="tasks.yaml",
            document=document,
            path=("spec", "steps", number),
            field=field,
        )
        for title, icon, number, field in (
            ("Encrypt", "lock", 1, "kbsPath"),
            ("Prove", "shield", 2, "finalImage"),
            ("Release key", "key", 3, "kbsUrl"),
        )
    ]
    if answered.text("sign") != "none":
        place = ("spec", "steps", 0)
        signed = Stage(
            "Sign", Where.VM, "own VM", "sign", "tasks.yaml", document + 1, place, "sign"
        )
        inside.append(signed)
    confidential = coco.platform(answered) != "dev"
    pod: tuple[str, ...] = ("spec", "template", "spec", "runtimeClassName")
    deployed = Stage(
        "Deploy",
        Where.CONFIDENTIAL if confidential else Where.VM,
        "confidential VM" if confidential else "no hardware protects it",
        icon="arrow",
        file="deploy.yaml",
        path=pod if answered.text("kind") == "Deployment" else ("spec", "runtimeClassName"),
        field="tee",
    )
    return [*built, *inside, deployed]
