"""The image security policy of a guest: which images it may pull, and who must have signed them.

Source: guest-components image-rs, src/signature/policy (requirement types; scopes are looked up
from the whole reference to its registry, then ``""``, then ``default``), config.rs (``[image]`` of
``cdh.toml``; a URI wins over the inline policy; without any, everything is allowed).
"""

import json
import tomllib
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any

from kataui.files import clean
from kataui.kata.manifest import list_at, mapping_at, text_at
from kataui.pods.model import repository_of, tag_of

_IDENTITIES = ("matchRepository", "exactRepository")


@dataclass(frozen=True, slots=True)
class ImagePolicy:
    """``uri`` tells that it lies at a KBS and cannot be read here; ``problem`` why it is unusable.

    ``value`` is the policy itself when it is inline.
    """

    uri: str = ""
    problem: str = ""
    value: Mapping[str, Any] = field(default_factory=dict, repr=False)

    @property
    def rejects(self) -> bool:
        """Whether an image that no scope names is refused."""
        return _kinds(self.value.get("default")) == ["reject"]

    def requirements(self, image: str) -> list[Mapping[str, Any]]:
        """What an image has to fulfil: those of its closest scope, else the default ones."""
        scopes = mapping_at(self.value, ("transports", "docker"))
        for scope in _scopes(image):
            if isinstance(scopes.get(scope), list):
                return [one for one in scopes[scope] if isinstance(one, dict)]
        return [one for one in list_at(self.value, ("default",)) if isinstance(one, dict)]


def read_image_policy(cdh: str) -> ImagePolicy | None:
    """The policy that ``cdh.toml`` sets; None when it sets none: then everything is allowed."""
    try:
        image = mapping_at(tomllib.loads(cdh), ("image",))
    except (tomllib.TOMLDecodeError, RecursionError) as error:
        return ImagePolicy(problem=f"cdh.toml is not TOML: {clean(str(error), limit=120)}")
    uri = text_at(image, ("image_security_policy_uri",))
    if uri:
        return ImagePolicy(uri=clean(uri, limit=200))
    text = image.get("image_security_policy")
    if not isinstance(text, str) or not text.strip():
        return None
    try:
        value = json.loads(text)
    except (ValueError, RecursionError) as error:
        return ImagePolicy(problem=f"It is not JSON: {clean(str(error), limit=120)}")
    if not isinstance(value, dict) or "default" not in value or "transports" not in value:
        return ImagePolicy(problem="It lacks default or transports: the guest refuses it.")
    return ImagePolicy(value=value)


def faults(policy: ImagePolicy, image: str) -> Iterator[str]:
    """What lets an image in that nobody signed for this repository, as sentences."""
    wanted = policy.requirements(image)
    kinds = [text_at(one, ("type",)) for one in wanted]
    if "insecureAcceptAnything" in kinds or not kinds:
        yield "It accepts whatever is at that name."
    for one in wanted:
        if text_at(one, ("type",)) != "sigstoreSigned":
            continue
        identity = text_at(one, ("signedIdentity", "type"))
        if not one.get("signedIdentity"):
            yield "It asks for a signature, but not for which repository: any of that key will do."
        elif identity not in _IDENTITIES:
            yield f"A guest refuses the identity {clean(identity, limit=40)!r}: no image passes."
        if bool(one.get("keyPath")) == bool(one.get("keyData")):
            yield "It needs exactly one of keyPath and keyData."
    if kinds == ["reject"]:
        yield "It refuses this image: the pod will not start."


def _kinds(value: Any) -> list[str]:
    return [text_at(one, ("type",)) for one in value] if isinstance(value, list) else []


def _scopes(image: str) -> Iterator[str]:
    """From the whole reference to the registry, and its wildcards."""
    repository, digest = repository_of(image), image.partition("@")[2]
    tag = tag_of(image)
    yield f"{repository}{f':{tag}' if tag else ''}{f'@{digest}' if digest else ''}"
    if digest:
        yield f"{repository}@{digest}"
    parts = repository.split("/")
    for length in range(len(parts), 0, -1):
        yield "/".join(parts[:length])
    host = parts[0].partition(":")[0].split(".")
    for number in range(1, len(host)):
        yield f"*.{'.'.join(host[number:])}"
    yield ""
