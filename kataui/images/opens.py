"""Which layers of an image a key opens, told from its manifests alone."""

from kataui.errors import KatauiError
from kataui.images.keys import KeyRing, unwrap_options
from kataui.images.open import open_source


def opens_layers(reference: str, ring: KeyRing) -> tuple[int, int]:
    """How many encrypted layers of the image ``ring`` opens, and how many there are."""
    with open_source(reference) as source:
        layers = [layer for image in source.images for layer in image.layers if layer.encrypted]
        opened = 0
        for layer in layers:
            try:
                unwrap_options(layer.descriptor.annotations, ring)
            except KatauiError:
                continue
            opened += 1
        return opened, len(layers)
