"""Run every benchmark, one after another, each in a process of its own."""

import os
import subprocess
import sys

NAMES = (
    "start", "download", "inference", "bundle_memory", "per_item", "driver", "object_store", "engines", "search",
    "methods", "identity_memory", "choosing", "weak_faces",
    "identities", "persons", "films", "long_films", "agreement", "verification", "bodies", "shots", "sampling",
    "anonymizing", "painting", "tracking", "curation", "hostile", "copies", "precision", "browse",
)  # fmt: skip


def main() -> None:
    """Run them; those that need something that is not here say so and are left out."""
    for name in NAMES:
        if name in ("search", "identities", "persons", "bodies") and "MANYFACES_TEST_DATA" not in os.environ:
            print(f"benchmarks.{name}: left out; it needs labelled photographs and videos in MANYFACES_TEST_DATA.")
            continue
        print(f"== benchmarks.{name}", flush=True)
        subprocess.run([sys.executable, "-m", f"benchmarks.{name}"], check=True)


if __name__ == "__main__":
    main()
