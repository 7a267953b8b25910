"""Whoever looks for whole keys in memory and in files, as a process of its own.

It makes the keys of a rehearsal from custodians' directories, which nobody else may,
to know what to look for; so they are whole here, and this process ends with its
answer. Looked for: the seed of each partition as it is, in hexadecimal and in base 64.
"""

from __future__ import annotations

import base64
import json
import sys
from collections.abc import Iterable
from dataclasses import asdict, dataclass
from pathlib import Path

from havre.adapters.machine.memory import find_in_memory
from havre.adapters.seizure.folders import SeizedFolders
from havre.application.ceremony import PartitionCatalogue
from havre.bootstrap.attempts import seeds_left
from havre.bootstrap.drills.stage import check_rehearsal
from havre.bootstrap.hub import OpenHub
from havre.errors import Unavailable

PLANTED = "planted"


@dataclass(frozen=True, slots=True)
class Sought:
    """What is looked for, and where.

    hub: the rehearsal's hub. parties: directories that give shares.
    partitions: opaque ids of those whose keys are looked for.
    planted: hexadecimal, a value that was put somewhere on purpose.
    processes: by pid. files: a folder, everything below it; empty for none.
    """

    hub: str
    parties: list[str]
    partitions: list[str]
    planted: str
    processes: list[int]
    files: str


@dataclass(frozen=True, slots=True)
class Sightings:
    """What was seen.

    keys: how many could be looked for.
    memory: how many of them stand in each process's memory, or null where nobody may look.
    files: how many of them stand in some file; `where` names those files.
    planted_memory, planted_files: in how many processes and files the planted value was seen.
    """

    keys: int
    memory: list[int | None]
    files: int
    where: list[str]
    planted_memory: int
    planted_files: int


def main() -> None:
    """Look, and print one line."""
    sought = Sought(**json.loads(sys.argv[1]))
    needles = _needles(sought)
    memory = [_in_memory(pid, needles) for pid in sought.processes]
    files = _in_files(Path(sought.files), needles) if sought.files else {}
    seen = Sightings(
        keys=len(_keys_of(needles)),
        memory=[None if each is None else len(_keys_of(each)) for each in memory],
        files=len(_keys_of({name for each in files.values() for name in each})),
        where=sorted(path for path, found in files.items() if _keys_of(found)),
        planted_memory=sum(PLANTED in each for each in memory if each is not None),
        planted_files=sum(PLANTED in found for found in files.values()),
    )
    sys.stdout.write(json.dumps(asdict(seen)))


def _needles(sought: Sought) -> dict[str, bytes]:
    """Make the keys, and spell each in every form; by `<partition> <form>`."""
    hub = OpenHub(Path(sought.hub))
    check_rehearsal(hub.roots)
    known = [
        each
        for each in PartitionCatalogue(hub.records, log=hub.log).list_partitions()
        if each.partition_id in sought.partitions
    ]
    seeds = seeds_left(hub, known, folders=[Path(each) for each in sought.parties])
    needles = {
        f"{name} {form}": value for name, seed in seeds.items() for form, value in _forms(seed)
    }
    return {**needles, PLANTED: bytes.fromhex(sought.planted)}


def _forms(seed: bytes) -> list[tuple[str, bytes]]:
    return [
        ("as it is", seed),
        ("in hexadecimal", seed.hex().encode()),
        ("in base 64", base64.b64encode(seed)),
    ]


def _keys_of(found: Iterable[str]) -> set[str]:
    return {name.partition(" ")[0] for name in found if name != PLANTED}


def _in_memory(pid: int, needles: dict[str, bytes]) -> set[str] | None:
    try:
        return find_in_memory(pid, needles)
    except Unavailable:
        return None


def _in_files(folder: Path, needles: dict[str, bytes]) -> dict[str, set[str]]:
    seized = SeizedFolders({"": folder})
    overlap = max(len(each) for each in needles.values())
    found: dict[str, set[str]] = {}
    for file in seized.list_files():
        tail = b""
        for piece in seized.read(file):
            window = tail + piece
            seen = {name for name, sought in needles.items() if sought in window}
            if seen:
                found.setdefault(file.name, set()).update(seen)
            tail = window[-overlap:]
    return found


if __name__ == "__main__":
    main()
