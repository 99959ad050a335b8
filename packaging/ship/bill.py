"""What is inside: the SBOM (CycloneDX 1.6) and the licences of everything that is shipped.

Source of the packages: the lock, and what the installed packages say of themselves.
"""

import datetime as dt
import json
import platform
import re
import uuid
from collections.abc import Iterator
from importlib.metadata import Distribution, PackageNotFoundError, distribution
from pathlib import Path

from place import ROOT, VERSION, Place

_LICENCE = re.compile(r"(?:licen[cs]e|copying|notice)[\w.-]*", re.IGNORECASE)
_NAME = re.compile(r"^([\w.-]+)==", re.MULTILINE)


def write(place: Place) -> "list[Path]":
    """``kataui-VERSION.cdx.json`` and ``LICENSES.txt``."""
    bom = place.out / f"kataui-{VERSION}.cdx.json"
    bom.write_text(json.dumps(_bom(place.moment_s), indent=2) + "\n", encoding="utf-8")
    licences = place.out / "LICENSES.txt"
    licences.write_text("\n".join(_licences()), encoding="utf-8")
    return [bom, licences]


def shipped() -> "list[Distribution]":
    """The packages of the lock that this platform needs."""
    found = []
    lock = (ROOT / "packaging" / "requirements-run.txt").read_text()
    for name in _NAME.findall(lock):
        try:
            found.append(distribution(name))
        except PackageNotFoundError:  # for another platform or Python
            continue
    return found


def _bom(moment_s: int) -> "dict[str, object]":
    root = f"pkg:pypi/kataui@{VERSION}"
    components = [_component(item) for item in shipped()]
    python = platform.python_version()
    components.append(
        {
            "type": "platform",
            "bom-ref": f"pkg:generic/python@{python}",
            "name": "python",
            "version": python,
            "purl": f"pkg:generic/python@{python}",
            "licenses": [{"license": {"id": "PSF-2.0"}}],
        }
    )
    when = dt.datetime.fromtimestamp(moment_s, dt.UTC).strftime("%Y-%m-%dT%H:%M:%SZ")
    names = ",".join(str(item["bom-ref"]) for item in components)
    return {
        "bomFormat": "CycloneDX",
        "specVersion": "1.6",
        "serialNumber": f"urn:uuid:{uuid.uuid5(uuid.NAMESPACE_URL, root + names)}",
        "version": 1,
        "metadata": {
            "timestamp": when,
            "component": {
                "type": "application",
                "bom-ref": root,
                "name": "kataui",
                "version": VERSION,
                "purl": root,
                "licenses": [{"license": {"id": "Apache-2.0"}}],
            },
        },
        "components": components,
        "dependencies": [{"ref": root, "dependsOn": [item["bom-ref"] for item in components]}],
    }


def _component(item: Distribution) -> "dict[str, object]":
    name = re.sub(r"[-_.]+", "-", item.metadata["Name"].lower())  # PyPI's form
    purl = f"pkg:pypi/{name}@{item.version}"
    value: dict[str, object] = {
        "type": "library",
        "bom-ref": purl,
        "name": name,
        "version": item.version,
        "purl": purl,
    }
    said = _licence(item)
    if said:
        value["licenses"] = [{"license": {"name": said}}]
    return value


def _licence(item: Distribution) -> str:
    """As the package names it: an SPDX expression, a classifier, or the first line of its field."""
    meta = item.metadata
    if meta.get("License-Expression"):
        return str(meta["License-Expression"])
    named = [
        value.rsplit(" :: ", 1)[-1]
        for value in meta.get_all("Classifier") or []
        if value.startswith("License ::")
    ]
    return ", ".join(named) or str(meta.get("License") or "").split("\n", 1)[0][:80]


def _licences() -> Iterator[str]:
    yield f"kataui {VERSION}: Apache-2.0. What is shipped with it, and under which licences:\n"
    for item in shipped():
        yield f"{'=' * 78}\n{item.metadata['Name']} {item.version}: {_licence(item)}\n"
        for file in sorted(item.files or [], key=str):
            path = Path(str(item.locate_file(file)))
            if _LICENCE.fullmatch(file.name) and path.is_file() and path.suffix != ".py":
                yield path.read_text(encoding="utf-8", errors="replace").strip() + "\n"
