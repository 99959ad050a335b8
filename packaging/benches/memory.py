"""Peak memory of encrypting, decrypting and protecting images of 64 MiB, 1 GiB and 4 GiB."""

import argparse
import sys
import tempfile
from pathlib import Path

from images import Bench, fresh, make_images, measure


def main() -> None:
    """Run each size once; print the peak of each command in MiB."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--folder", default="/dev/shm", help="where scratch files go")
    arguments = parser.parse_args()
    print(f"{'MiB of tar':>10}{'encrypt':>10}{'decrypt':>10}{'protect':>10}  peak MiB")
    for size_mib in (64, 1024, 4096):
        with tempfile.TemporaryDirectory(dir=arguments.folder) as scratch:
            folder = Path(scratch)
            new_key = [sys.executable, "-m", "kataui", "key", "new"]
            measure([*new_key, "jwe", str(folder / "k")])
            measure([*new_key, "cosign", str(folder / "s"), "--passphrase-file", "/dev/null"])
            image = make_images(folder, size_mib, gzipped=False)[0]
            bench = Bench(folder, image, [])
            bench.encrypt(fresh(bench.encrypted))
            bench.decrypt()
            fresh(bench.encrypted)
            bench.protect()
            peaks = [bench.median(f"kataui {verb}").peak_mib for verb in VERBS]
            print(f"{size_mib:>10}" + "".join(f"{peak:>10.0f}" for peak in peaks))


VERBS = ("encrypt", "decrypt", "protect")

if __name__ == "__main__":
    main()
