"""What a confidential guest is told: initdata for a key broker, and the annotation of its pod.

Source: trustee kbs/docs/initdata.md; guest-components, confidential-data-hub and
attestation-agent configuration (``aa.toml``, ``cdh.toml``).
"""

import tomlkit
from tomlkit.items import String, StringType, Trivia

from kataui.kata import classes, initdata
from kataui.pipelines.model import Answered

CLASSES = {
    "snp": "kata-qemu-snp-runtime-rs",
    "tdx": "kata-qemu-tdx-runtime-rs",
    "se": "kata-qemu-se-runtime-rs",
    "dev": "kata-qemu-coco-dev-runtime-rs",
}


def runtime_class(answered: Answered) -> str:
    """The class: the one that was named, else the one of the platform."""
    return answered.text("confidentialClass") or CLASSES[answered.text("tee")]


def platform(answered: Answered) -> str:
    """The platform: that of the class where one was named, for it decides what the guest is."""
    known = classes.find(runtime_class(answered))
    return known.tee if known and known.tee else answered.text("tee")


def initdata_toml(answered: Answered, *, policy: str = "") -> str:
    """The TOML text whose digest the hardware reports; it is public, so nothing secret is in it."""
    url, certificate = answered.text("kbsUrl"), answered.text("kbsCertificate").strip()
    document = tomlkit.document()
    document["version"] = initdata.VERSION
    document["algorithm"] = initdata.FITTING[platform(answered)]
    data = tomlkit.table()
    data["aa.toml"] = _text(_agent(url, certificate))
    data["cdh.toml"] = _text(_hub(url, certificate, answered.text("imagePolicy")))
    if policy.strip():
        data["policy.rego"] = _text(f"{policy.strip()}\n")
    document["data"] = data
    return tomlkit.dumps(document)


def _agent(url: str, certificate: str) -> str:
    """``aa.toml``: where the attestation agent gets its token."""
    kbs = tomlkit.table()
    kbs["url"] = url
    if certificate:
        kbs["cert"] = f"{certificate}\n"
    document = tomlkit.document()
    document["token_configs"] = {"kbs": kbs}
    return tomlkit.dumps(document)


def _hub(url: str, certificate: str, image_policy: str) -> str:
    """``cdh.toml``: where the data hub gets keys, and which images may run."""
    document = tomlkit.document()
    document["socket"] = "unix:///run/confidential-containers/cdh.sock"
    document["credentials"] = []
    kbc = tomlkit.table()
    kbc["name"] = "cc_kbc"
    kbc["url"] = url
    if certificate:
        kbc["kbs_cert"] = f"{certificate}\n"
    document["kbc"] = kbc
    if image_policy:
        image = tomlkit.table()
        image["image_security_policy_uri"] = image_policy
        document["image"] = image
    return tomlkit.dumps(document)


def _text(text: str) -> String:
    """A text of several lines; literal, so that it can be read, unless it holds the mark itself."""
    if "'''" not in text:
        return String(StringType.MLL, text, f"\n{text}", Trivia())
    return tomlkit.string(text, multiline=True)
