"""The files that stand beside a pod's protected images: policies, initdata, what the broker needs.

Sources: containers-policy.json(5) (``keyData``); guest-components image-rs (image security policy,
``[image]`` of cdh.toml); trustee kbs/docs/initdata.md, kbs/quickstart.md (repository/type/tag), and
its operator (a Secret's entry is ``default/SECRET/ENTRY``).
"""

import base64
import json
import shlex
from collections.abc import Iterable, Mapping, Sequence

KEY_TAG = "default/cosign-key/1"  # where the guest gets the public key from
MEASUREMENT = "snp_launch_measurement"  # how the default policy calls the launch digest
_MATCH = {"signedIdentity": {"type": "matchRepository"}}
RULE = """\
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


def host_policy(repositories: Iterable[str], public_pem: bytes) -> dict[str, object]:
    """A policy.json for skopeo, podman and CRI-O: all is refused but what the key signed."""
    data = base64.b64encode(public_pem).decode()
    wanted = {"type": "sigstoreSigned", "keyData": data, **_MATCH}
    return _policy(repositories, wanted)


def guest_policy(repositories: Iterable[str]) -> dict[str, object]:
    """The image security policy of a CoCo guest, which gets the key from its broker."""
    wanted = {"type": "sigstoreSigned", "keyPath": f"kbs:///{KEY_TAG}", **_MATCH}
    return _policy(repositories, wanted)


def _policy(repositories: Iterable[str], wanted: Mapping[str, object]) -> dict[str, object]:
    scopes = {name: [wanted] for name in sorted(set(repositories))}
    return {"default": [{"type": "reject"}], "transports": {"docker": scopes}}


def initdata_toml(
    *, algorithm: str, url: str, certificate: str, policy: str, image_policy: Mapping[str, object]
) -> str:
    """The initdata: where the broker is, which images may be pulled, what the host may ask."""
    files = {"cdh.toml": _cdh(url, certificate, image_policy)}
    if url:
        lines = ["[token_configs]", "[token_configs.kbs]", f"url = {_text(url)}"]
        lines += [f"cert = {_text(certificate)}"] if certificate else []
        files = {"aa.toml": "\n".join(lines) + "\n", **files}
    if policy:
        files["policy.rego"] = policy
    head = f'version = "0.1.0"\nalgorithm = {_text(algorithm)}\n\n[data]\n'
    return head + "".join(f"{_text(name)} = {_block(content)}\n" for name, content in files.items())


def _cdh(url: str, certificate: str, image_policy: Mapping[str, object]) -> str:
    lines = ['socket = "unix:///run/confidential-containers/cdh.sock"', "credentials = []"]
    if url:
        lines += ["", "[kbc]", 'name = "cc_kbc"', f"url = {_text(url)}"]
        lines += [f"kbs_cert = {_text(certificate)}"] if certificate else []
    policy = json.dumps(image_policy, separators=(",", ":"))
    quoted = _text(policy) if "'" in policy else f"'{policy}'"
    return "\n".join([*lines, "", "[image]", f"image_security_policy = {quoted}"]) + "\n"


def _block(text: str) -> str:
    """A TOML text as people read it, a literal one of many lines; quoted where that cannot be."""
    plain = all(char.isprintable() or char in "\n\t" for char in text)
    return f"'''\n{text}'''" if plain and "'''" not in text else _text(text)


def _text(text: str) -> str:
    """A TOML basic string; JSON's escapes are TOML's, but DEL must be escaped there, too."""
    return json.dumps(text, ensure_ascii=False).replace("\x7f", "\\u007F")


def trustee_secrets(resources: Mapping[str, bytes]) -> str:
    """Secrets for the Trustee operator; only resources of the repository ``default`` can be."""
    by_name: dict[str, dict[str, str]] = {}
    for path, data in sorted(resources.items()):
        repository, name, entry = path.split("/")
        if repository == "default":
            by_name.setdefault(name, {})[entry] = base64.b64encode(data).decode()
    documents = [
        {
            "apiVersion": "v1",
            "kind": "Secret",
            "metadata": {"name": name, "namespace": "trustee-operator-system"},
            "type": "Opaque",
            "data": entries,
        }
        for name, entries in by_name.items()
    ]
    others = [path for path in sorted(resources) if not path.startswith("default/")]
    told = "".join(f"# {path} cannot be a Secret: only default/ can.\n" for path in others)
    return told + "".join(f"---\n{json.dumps(one, indent=2)}\n" for one in documents)


def upload_script(url: str, paths: Sequence[str], measurement: str = "") -> str:
    """What puts resources, rule and launch digest into the broker; it asks what is not known."""
    where = shlex.quote(url) if url else '"${KBS_URL:?where the broker is}"'
    client = f"kbs-client --url {where} config"
    client += ' --admin-token-file "${ADMIN_TOKEN:?the file with the token}"'
    lines = [
        "#!/bin/sh",
        "# Run it in this folder, where the key broker can be reached.",
        "set -eu",
        *(f"{client} set-resource --path {one} --resource-file kbs/{one}" for one in sorted(paths)),
        f"{client} set-resource-policy --policy-file ../kbs-policy.rego",
    ]
    if measurement:
        lines.append("# It replaces all launch digests that the verifier knows.")
        lines.append(f"{client} set-sample-reference-value {MEASUREMENT} {measurement}")
    return "\n".join(lines) + "\n"
