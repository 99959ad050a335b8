"""The answers that preparing a pod asks for."""

from dataclasses import dataclass

from kataui.pods.launchdigest import LaunchInputs

DEFAULT_CLASS = "kata-qemu-snp-runtime-rs"


@dataclass(frozen=True, slots=True)
class PrepareAnswers:
    """What ``kataui pod prepare`` is told; the names are those of its arguments.

    ``bases`` are IMAGE=BASE: where the base of an image ends, as a number of layers or its base.
    ``sidecars`` are NAME=IMAGE, what a webhook will add; ``pull`` fetches by skopeo what is not in
    ``images``, which may be empty then. ``launch`` asks for reference values of SEV-SNP.
    """

    file: str
    images: str
    out: str
    recipients: tuple[str, ...]
    sign_key: str
    identity_prefix: str
    runtime_class: str = DEFAULT_CLASS
    kbs_url: str = ""
    kbs_certificate: str = ""
    policy: str = ""
    layers: str = "all"
    keys: tuple[str, ...] = ()
    bases: tuple[str, ...] = ()
    sidecars: tuple[str, ...] = ()
    pull: bool = False
    launch: LaunchInputs | None = None

    def as_command(self) -> list[str]:
        """The command line that does the same, as words."""
        words = ["kataui", "pod", "prepare", self.file, "--out", self.out]
        words += ["--pull"] if self.pull else []
        for name, values in (
            ("--images", (self.images,)),
            ("--recipient", self.recipients),
            ("--sign-key", (self.sign_key,)),
            ("--identity-prefix", (self.identity_prefix,)),
            (
                "--runtime-class",
                ("" if self.runtime_class == DEFAULT_CLASS else self.runtime_class,),
            ),
            ("--kbs-url", (self.kbs_url,)),
            ("--kbs-cert", (self.kbs_certificate,)),
            ("--policy", (self.policy,)),
            ("--layers", ("" if self.layers == "all" else self.layers,)),
            ("--base", self.bases),
            ("--sidecar", self.sidecars),
            ("--key", self.keys),
        ):
            words += [word for value in values if value for word in (name, value)]
        return words + (self.launch.as_words() if self.launch else [])
