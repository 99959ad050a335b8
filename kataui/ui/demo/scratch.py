"""What the demo shows: images, a pod and recordings, made on the spot in a scratch folder."""

import shutil
from dataclasses import dataclass, replace
from pathlib import Path

from kataui.files import write_new
from kataui.images.keymaking import new_key
from kataui.images.protect import protect
from kataui.images.protectanswers import ProtectAnswers
from kataui.images.sample import SampleKeys, make_sample, make_sample_keys
from kataui.isolation.incidents import Incident, incidents
from kataui.pods.prepareanswers import PrepareAnswers
from kataui.progress import Control

IDENTITY = "registry.example.org/shop/checkout"
_PREFIX = "registry.example.org/shop"
_POD = """\
apiVersion: v1
kind: Pod
metadata:
  name: checkout
spec:
  initContainers:
    - name: migrate
      image: shop/migrate:2.4.1
    - name: log-shipper
      image: shop/log-shipper:1.2
      restartPolicy: Always   # a sidecar that the team wrote itself
  containers:
    - name: checkout
      image: shop/checkout:2.4.1
"""
_PUSHED_IN = """\
  ephemeralContainers:
    - name: telemetry
      image: example.net/agent:latest
      args: [--dump-memory]
"""
_IMAGES = {
    "checkout": "shop_checkout_2.4.1",
    "migrate": "shop_migrate_2.4.1",
    "log-shipper": "shop_log-shipper_1.2",
}


@dataclass(frozen=True, slots=True)
class Scratch:
    """The demo's files.

    ``source`` and ``protected`` are the sample image before and after; ``manifest`` is the pod as
    the team wrote it, ``live`` what runs after somebody pushed a container in, ``lock`` what
    should; ``recordings`` are copies, for markers are written into them.
    """

    folder: Path
    source: Path
    protected: Path
    keys: SampleKeys
    manifest: Path
    live: Path
    lock: Path
    public_key: Path
    recordings: tuple[Incident, ...]


def make_scratch(folder: Path, control: Control) -> Scratch:
    """Make everything; takes about two seconds. Raises ``KatauiError``."""
    source, protected = folder / "checkout", folder / "checkout-protected"
    sample = make_sample(source, control)
    keys = make_sample_keys(folder / "keys")
    protect(
        ProtectAnswers(
            source=f"oci:{source}:{sample.tag}",
            destination=str(protected),
            recipients=(keys.recipient_spec,),
            sign_key=str(keys.sign_key),
            identity=IDENTITY,
            keys=(str(keys.private_key),),
        ),
        ask=lambda _: "",
        control=control,
    )
    prepared = _make_pod(folder, keys, control)
    return Scratch(
        folder,
        source,
        protected,
        keys,
        folder / "pod" / "checkout.yaml",
        prepared / "live.yaml",
        prepared / "podlock.json",
        prepared / "cosign.pub",
        _copied(folder / "recordings"),
    )


def _make_pod(folder: Path, keys: SampleKeys, control: Control) -> Path:
    """A pod as it was written, the same prepared, and a dump with a container pushed in."""
    from kataui.pods.prepare import prepare  # noqa: PLC0415 - Kata's rules: only when it is made

    images = folder / "pod" / "images"
    for name, file_name in _IMAGES.items():
        make_sample(images / file_name, control, name)
    manifest = folder / "pod" / "checkout.yaml"
    write_new(manifest, _POD.encode())
    broker = new_key("kbs", folder / "keys" / "throwaway-broker")
    prepared = folder / "prepared"
    prepare(
        PrepareAnswers(
            file=str(manifest),
            images=str(images),
            out=str(prepared),
            recipients=(f"kbs:///default/image-key/checkout={broker.private}",),
            sign_key=str(keys.sign_key),
            identity_prefix=_PREFIX,
            kbs_url="https://kbs.example.org:8080",
        ),
        ask=lambda _: "",
        control=control,
    )
    text = (prepared / "manifest.yaml").read_text(encoding="utf-8")
    write_new(prepared / "live.yaml", f"{text}{_PUSHED_IN}".encode())
    return prepared


def _copied(folder: Path) -> tuple[Incident, ...]:
    folder.mkdir()
    return tuple(
        replace(one, path=Path(shutil.copyfile(one.path, folder / one.path.name)))
        for one in incidents()
    )
