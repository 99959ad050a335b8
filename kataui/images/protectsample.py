"""The whole act on an image made on the spot, with throwaway keys: to try it, and to show it."""

from pathlib import Path

from kataui.errors import DestinationProblem
from kataui.files import clean
from kataui.images.protect import Protected, protect
from kataui.images.protectanswers import ProtectAnswers
from kataui.images.sample import make_sample, make_sample_keys
from kataui.progress import Control

IDENTITY = "registry.example.org/sample/checkout"


def protect_sample(folder: Path, control: Control) -> Protected:
    """Make ``folder``/source, /keys, /protected and /receipt.json (.html); it must be empty.

    The keys are marked as throwaway. Raises ``DestinationProblem`` when the folder holds
    anything, and whatever ``protect`` raises.
    """
    if folder.exists() and (not folder.is_dir() or any(folder.iterdir())):
        raise DestinationProblem(
            f"{clean(str(folder))} is not empty.", hint="Name a new or empty folder."
        )
    sample = make_sample(folder / "source", control)
    keys = make_sample_keys(folder / "keys")
    answers = ProtectAnswers(
        source=f"oci:{sample.source}:{sample.tag}",
        destination=str(folder / "protected"),
        recipients=(keys.recipient_spec,),
        sign_key=str(keys.sign_key),
        identity=IDENTITY,
        keys=(str(keys.private_key),),
        receipt=str(folder / "receipt.json"),
    )
    return protect(answers, ask=lambda _: "", control=control)
