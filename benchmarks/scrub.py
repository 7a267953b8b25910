"""How fast a store is scrubbed, to plain SHA-256 over the same files.

What scrubbing adds to hashing is finding the files, reading them in pieces and judging
each by the inventory. Both are interleaved in one run, over files that the operating
system has in memory: from a disk, both wait for the disk. Goal: at least 0.80 as fast.
"""

from __future__ import annotations

import hashlib
import tempfile
import time
from pathlib import Path

from havre.adapters.objects.local import LocalObjects
from havre.application.vault.survey import StoreReader, Survey
from havre.crypto.random import new_object_id, random_bytes
from havre.domain.inventory import Inventory, Listed

# Padded sizes as a lake has them: many small, some large.
SIZES = [64 * 1024] * 120 + [2 * 1024 * 1024] * 40 + [32 * 1024 * 1024] * 8
ROUNDS = 5


def main() -> dict[str, float]:
    """Measure; rates in megabytes per second."""
    with tempfile.TemporaryDirectory(dir="/dev/shm") as folder:
        store, inventory = _filled(Path(folder))
        paths = [path for path in Path(folder).rglob("*") if path.is_file()]
        plain: list[float] = []
        scrubbed: list[float] = []
        for _ in range(ROUNDS + 1):
            plain.append(_plain(paths))
            scrubbed.append(_scrub(store, inventory))
    size = sum(SIZES) / 1e6
    return {
        "sha256_mb_s": round(size / min(plain)),
        "scrub_mb_s": round(size / min(scrubbed)),
        "scrub_to_sha256": round(min(plain) / min(scrubbed), 3),
    }


def _filled(folder: Path) -> tuple[LocalObjects, Inventory]:
    store, inventory = LocalObjects(folder), Inventory()
    for size in SIZES:
        stored = store.put(new_object_id(), [random_bytes(size)])
        inventory.objects[stored.object_id] = Listed(stored.sha256, size)
    return store, inventory


def _plain(paths: list[Path]) -> float:
    start = time.perf_counter()
    for path in paths:
        with path.open("rb") as file:
            hashlib.file_digest(file, "sha256").hexdigest()
    return time.perf_counter() - start


def _scrub(store: LocalObjects, inventory: Inventory) -> float:
    start = time.perf_counter()
    survey = Survey()
    for _ in StoreReader("store", store, inventory).read(survey, progress=lambda _: None):
        pass
    taken = time.perf_counter() - start
    assert (survey.objects, survey.faults) == (len(SIZES), {})
    return taken


if __name__ == "__main__":
    print(main())
