"""Encrypting, decrypting and protecting beside every skopeo that is found.

Two images of one layer each (1 GiB of tar, and 1 GiB of tar gzipped; half random, half words)
are made in a scratch folder. Each round runs all commands in turn, so that a noisy neighbour hits
all alike; medians are shown, as ratios to the newest skopeo. The limit is what the format asks for:
three SHA-256 passes and one AES-CTR pass over the layer, on the cores of this machine.
"""

import argparse
import hashlib
import io
import json
import os
import random
import resource
import shutil
import statistics
import subprocess
import sys
import tarfile
import tempfile
import time
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path

from cryptography.hazmat.primitives.ciphers import Cipher, algorithms, modes
from isal import igzip

MIB = 1 << 20
LAYER = "application/vnd.oci.image.layer.v1"
SKOPEO_OPTIONS = ["--insecure-policy"]


@dataclass(frozen=True)
class Run:
    """One run of a command: wall and CPU seconds, peak memory in MiB."""

    wall_s: float
    cpu_s: float
    peak_mib: float


def measure(argv: list[str]) -> Run:
    """Run a command to its end; it must succeed."""
    began = time.perf_counter()
    with tempfile.TemporaryFile() as errors:
        child = subprocess.Popen(argv, stdout=subprocess.DEVNULL, stderr=errors)
        _, status, usage = os.wait4(child.pid, 0)
        child.returncode = os.waitstatus_to_exitcode(status)
        wall_s = time.perf_counter() - began
        if child.returncode:
            errors.seek(0)
            sys.exit(f"{argv[0]} failed ({child.returncode}): {errors.read().decode()[-500:]}")
    return Run(wall_s, usage.ru_utime + usage.ru_stime, usage.ru_maxrss / 1024)


class Endless(io.RawIOBase):
    """Repeats a block for ever; nothing large is kept (a child's peak begins with its parent's)."""

    def __init__(self, block: bytes) -> None:
        self._block = block

    def readable(self) -> bool:
        """Yes."""
        return True

    def read(self, size: int = -1) -> bytes:
        """The next bytes."""
        piece = self._block[:size]
        self._block = self._block[len(piece) :] + piece
        return piece


def words() -> bytes:
    """4 MiB of text of words with Zipf's frequencies."""
    chooser = random.Random(1)
    vocabulary = ["".join(chooser.choices("abcdefghijklmnop", k=1 + i % 9)) for i in range(4000)]
    weights = [1 / (rank + 1) for rank in range(4000)]
    return " ".join(chooser.choices(vocabulary, weights, k=900_000)).encode()[: 4 * MIB]


def make_layer(path: Path, size_mib: int) -> None:
    """A tar of two files, one random, one of words."""
    half = size_mib * MIB // 2
    with tarfile.open(path, "w") as tar, Path("/dev/urandom").open("rb") as noise:
        for name, stream in (("random.bin", noise), ("words.txt", Endless(words()))):
            info = tarfile.TarInfo(name)
            info.size = half
            tar.addfile(info, stream)


def digest_of(path: Path) -> str:
    """Hexadecimal SHA-256 of a file."""
    with path.open("rb") as stream:
        return hashlib.file_digest(stream, "sha256").hexdigest()


def add(blobs: Path, path: Path) -> tuple[str, int]:
    """Move a file into a layout."""
    digest, size = digest_of(path), path.stat().st_size
    path.replace(blobs / digest)
    return digest, size


def make_layout(folder: Path, layer: Path, media_type: str, diff_id: str) -> None:
    """An OCI layout of one layer."""
    blobs = folder / "blobs" / "sha256"
    blobs.mkdir(parents=True)
    (folder / "oci-layout").write_text('{"imageLayoutVersion":"1.0.0"}')
    layer_digest, layer_size = add(blobs, layer)
    config = {
        "architecture": "amd64",
        "os": "linux",
        "config": {"Cmd": ["/bin/true"]},
        "rootfs": {"type": "layers", "diff_ids": [f"sha256:{diff_id}"]},
    }
    document = folder / "config"
    document.write_text(json.dumps(config))
    config_digest, config_size = add(blobs, document)
    image = "application/vnd.oci.image"
    manifest = {
        "schemaVersion": 2,
        "mediaType": f"{image}.manifest.v1+json",
        "config": {
            "mediaType": f"{image}.config.v1+json",
            "digest": f"sha256:{config_digest}",
            "size": config_size,
        },
        "layers": [
            {"mediaType": media_type, "digest": f"sha256:{layer_digest}", "size": layer_size}
        ],
    }
    document.write_text(json.dumps(manifest))
    digest, size = add(blobs, document)
    entry = {
        "mediaType": f"{image}.manifest.v1+json",
        "digest": f"sha256:{digest}",
        "size": size,
        "annotations": {"org.opencontainers.image.ref.name": "1"},
    }
    (folder / "index.json").write_text(json.dumps({"schemaVersion": 2, "manifests": [entry]}))


def make_images(folder: Path, size_mib: int, *, gzipped: bool = True) -> list[Path]:
    """The plain and, unless told otherwise, the gzipped image."""
    layer = folder / "layer.tar"
    make_layer(layer, size_mib)
    diff_id = digest_of(layer)
    if not gzipped:
        make_layout(folder / "tar", layer, f"{LAYER}.tar", diff_id)
        return [folder / "tar"]
    packed = folder / "layer.tar.gz"
    with layer.open("rb") as source, igzip.open(packed, "wb", compresslevel=2) as target:
        shutil.copyfileobj(source, target, MIB)
    make_layout(folder / "tar", layer, f"{LAYER}.tar", diff_id)
    make_layout(folder / "gzip", packed, f"{LAYER}.tar+gzip", diff_id)
    return [folder / "tar", folder / "gzip"]


def find_skopeos() -> list[str]:
    """Every skopeo on PATH and among the peers, the newest last."""
    path = f"{os.environ.get('KATAUI_PEERS', '')}{os.pathsep}{os.environ['PATH']}"
    found = {shutil.which(name, path=path) for name in ("skopeo", "skopeo122")} - {None}
    return sorted(found, key=lambda tool: version(str(tool)))  # type: ignore[type-var]


def version(tool: str) -> tuple[int, ...]:
    """(1, 22, 0) of "skopeo version 1.22.0 commit: ..."."""
    text = subprocess.run([tool, "--version"], capture_output=True, text=True, check=True).stdout
    return tuple(int(part) for part in text.split()[2].split("-")[0].split("+")[0].split("."))


def limit(size_mib: int) -> Run:
    """Three SHA-256 passes and one CTR pass over the data, spread over two threads."""
    chunk = os.urandom(MIB)

    def hashing(passes: float) -> None:
        state = hashlib.sha256()
        for _ in range(round(size_mib * passes)):
            state.update(chunk)

    def cipher_and_hash() -> None:
        encryptor = Cipher(algorithms.AES(bytes(32)), modes.CTR(bytes(16))).encryptor()
        buffer = bytearray(MIB)
        for _ in range(size_mib):
            encryptor.update_into(chunk, buffer)
        hashing(1.35)

    began, used = time.perf_counter(), time.process_time()
    with ThreadPoolExecutor(2) as pool:
        for job in (pool.submit(hashing, 1.65), pool.submit(cipher_and_hash)):
            job.result()
    return Run(time.perf_counter() - began, time.process_time() - used, 0)


def fresh(path: Path) -> Path:
    """The path, with nothing there."""
    shutil.rmtree(path, ignore_errors=True)
    return path


class Bench:
    """The commands on one image, and their figures."""

    def __init__(self, folder: Path, image: Path, skopeos: list[str]) -> None:
        self.folder, self.image, self.skopeos = folder, image, skopeos
        self.kataui = [sys.executable, "-m", "kataui", "image"]
        self.public, self.private = folder / "k.pub", folder / "k.key"
        self.encrypted = folder / f"{image.name}-encrypted"
        self.runs: dict[str, list[Run]] = {}

    def note(self, name: str, argv: list[str]) -> None:
        """Run and remember."""
        self.runs.setdefault(name, []).append(measure(argv))

    @property
    def source(self) -> str:
        """The image's reference."""
        return f"oci:{self.image}:1"

    @property
    def out(self) -> Path:
        """Where results go, empty."""
        return fresh(self.folder / "out")

    def encrypt(self, target: Path) -> None:
        """Kataui's encryption alone."""
        words = [self.source, str(target), "--recipient", f"jwe:{self.public}"]
        self.note("kataui encrypt", [*self.kataui, "encrypt", *words])

    def decrypt(self) -> None:
        """Kataui's decryption."""
        words = [f"oci:{self.encrypted}:1", str(self.out), "--key", str(self.private)]
        self.note("kataui decrypt", [*self.kataui, "decrypt", *words])

    def protect(self) -> None:
        """The whole act, proof included."""
        words = [self.source, str(self.out), "--recipient", f"jwe:{self.public}"]
        words += ["--key", str(self.private), "--sign-key", str(self.folder / "s.key")]
        words += ["--identity", "example.org/a/b", "--passphrase-file", "/dev/null"]
        self.note("kataui protect", [*self.kataui, "protect", *words])
        fresh(self.folder / "out")

    def round(self) -> None:
        """Each command once."""
        plain = "--dest-oci-accept-uncompressed-layers"
        for tool in self.skopeos:
            label = f"skopeo {'.'.join(map(str, version(tool)))}"
            copy = [tool, *SKOPEO_OPTIONS, "copy", "-q", plain]
            keys = ["--encryption-key", f"jwe:{self.public}", self.source]
            self.note(f"{label} encrypt", [*copy, *keys, f"oci:{fresh(self.encrypted)}:1"])
            keys = ["--decryption-key", str(self.private), f"oci:{self.encrypted}:1"]
            self.note(f"{label} decrypt", [*copy, *keys, f"oci:{self.out}:1"])
        self.encrypt(self.out)
        if not self.skopeos:
            self.encrypt(fresh(self.encrypted))
        self.decrypt()
        self.protect()

    def median(self, name: str) -> Run:
        """The medians of a command; memory is the maximum."""
        runs = self.runs[name]
        return Run(
            statistics.median(run.wall_s for run in runs),
            statistics.median(run.cpu_s for run in runs),
            max(run.peak_mib for run in runs),
        )

    def print(self, size_mib: int) -> None:
        """A table with ratios to the newest skopeo."""
        bound = limit(size_mib)
        newest = f"skopeo {'.'.join(map(str, version(self.skopeos[-1])))}" if self.skopeos else ""
        print(
            f"\n{self.image.name}: {size_mib} MiB stored; limit {bound.wall_s:.2f} s wall, "
            f"{bound.cpu_s:.2f} s CPU"
        )
        print(f"{'command':<26}{'wall s':>8}{'ratio':>8}{'CPU s':>8}{'ratio':>8}{'peak MiB':>10}")
        for name in self.runs:
            verb = name.split()[-1]
            base_name = f"{newest} {'decrypt' if verb == 'decrypt' else 'encrypt'}"
            base = self.median(base_name) if newest else self.median(name)
            run = self.median(name)
            print(
                f"{name:<26}{run.wall_s:>8.2f}{run.wall_s / base.wall_s:>8.2f}"
                f"{run.cpu_s:>8.2f}{run.cpu_s / base.cpu_s:>8.2f}{run.peak_mib:>10.0f}"
            )


def main() -> None:
    """Make images and keys, run the rounds, print the tables."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--size", type=int, default=1024, help="MiB of tar (default 1024)")
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--folder", default="/dev/shm", help="where scratch files go")
    arguments = parser.parse_args()
    skopeos = find_skopeos()
    with tempfile.TemporaryDirectory(dir=arguments.folder) as scratch:
        folder = Path(scratch)
        new_key = [sys.executable, "-m", "kataui", "key", "new"]
        measure([*new_key, "jwe", str(folder / "k")])
        measure([*new_key, "cosign", str(folder / "s"), "--passphrase-file", "/dev/null"])
        benches = [Bench(folder, p, skopeos) for p in make_images(folder, arguments.size)]
        for _ in range(arguments.rounds):
            for bench in benches:
                bench.round()
        for bench in benches:
            stored = sum(p.stat().st_size for p in (bench.image / "blobs" / "sha256").iterdir())
            bench.print(stored // MIB)
        print_totals(benches)
    print(f"\nown peak {resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024:.0f} MiB")


def print_totals(benches: list[Bench]) -> None:
    """Protect, proof included, over both images beside the newest skopeo's encryption alone."""
    if not benches[0].skopeos:
        return
    name = f"skopeo {'.'.join(map(str, version(benches[0].skopeos[-1])))} encrypt"
    protect = sum(bench.median("kataui protect").wall_s for bench in benches)
    encrypt = sum(bench.median(name).wall_s for bench in benches)
    print(
        f"\nboth images: kataui protect {protect:.2f} s, {name} {encrypt:.2f} s, "
        f"ratio {protect / encrypt:.2f}"
    )


if __name__ == "__main__":
    main()
