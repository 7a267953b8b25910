"""A rehearsal's hub as a process of its own, which is told what to do and stays between two acts.

Started by the key-loss drill with the hub's directory; each line of its input is one
act, each line of its output what came of it. It stays, so that its memory can be
looked at from outside when it has worked. `hold` opens keys and keeps them open
until `drop`.
"""

from __future__ import annotations

import ctypes
import json
import os
import sys
from collections.abc import Callable
from contextlib import ExitStack
from pathlib import Path
from typing import Any

from havre.adapters.machine.memory import children_of
from havre.application.ceremony import KnownPartition, PartitionCatalogue
from havre.application.vault.keys import KeysWanted
from havre.bootstrap.drills.stage import PERMIT, check_rehearsal
from havre.bootstrap.hub import OpenHub
from havre.bootstrap.key_life import erase_by_order, erasure_row
from havre.bootstrap.resharing import report_row, reshare
from havre.domain.events import VersionPublished, events_of
from havre.domain.statements import envelope_digest
from havre.errors import HavreError

_PR_SET_PTRACER = 0x59616D61


class _Worker:
    """Does what it is told at one hub."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._held = ExitStack()
        self._kept: list[bytes] = []

    def answer(self, line: dict[str, Any]) -> Any:
        """Do what one line asks."""
        acts: dict[str, Callable[[dict[str, Any]], Any]] = {
            "drop": lambda _line: self._held.close(),
            "erase": self._erase,
            "extract": lambda _line: sum(self._open().extraction.extract(PERMIT).rows.values()),
            "hold": self._hold,
            "keep": lambda line: self._kept.append(bytes.fromhex(line["value"])),
            "reshare": self._reshare,
        }
        return acts[line["act"]](line)

    def _open(self) -> OpenHub:
        hub = OpenHub(self._folder)
        hub.wake()
        return hub

    def _reshare(self, line: dict[str, Any]) -> Any:
        return report_row(reshare(self._open(), Path(line["order"]), Path(line["trust"])))

    def _erase(self, line: dict[str, Any]) -> Any:
        return erasure_row(erase_by_order(self._open(), Path(line["order"])))

    def _hold(self, _line: dict[str, Any]) -> Any:
        """Open what the permit covers, and keep it open; returns the key room's process."""
        hub = self._open()
        standing = hub.permits.standing(PERMIT)
        before = children_of(os.getpid())
        self._held.enter_context(
            hub.release.open(
                KeysWanted(
                    purpose="extract",
                    partitions=_covered(hub),
                    permit=standing.index,
                    documents={envelope_digest(standing.envelope): standing.envelope},
                )
            )
        )
        return [pid for pid in children_of(os.getpid()) if pid not in before]


def _covered(hub: OpenHub) -> list[KnownPartition]:
    """List the partitions that the rehearsal's permit covers and that hold something."""
    years = hub.permits.standing(PERMIT).permit.years
    versions = events_of((each.event for each in hub.log.entries()), VersionPublished)
    filled = {partition for version in versions for partition in version.manifests}
    return [
        each
        for each in PartitionCatalogue(hub.records, log=hub.log).list_living()
        if each.partition_id in filled and each.partition.year in years.get(each.partition.name, ())
    ]


def main() -> None:
    """Answer lines until the input ends."""
    folder = Path(sys.argv[1])
    check_rehearsal(OpenHub(folder).roots)
    # Whoever holds the drill looks into this memory. Where the kernel asks for leave, it is given.
    ctypes.CDLL(None).prctl(_PR_SET_PTRACER, ctypes.c_ulong(2**64 - 1), 0, 0, 0)
    worker = _Worker(folder)
    for raw in sys.stdin.buffer:
        try:
            reply: dict[str, Any] = {"ok": worker.answer(json.loads(raw))}
        except HavreError as refusal:
            reply = {"refused": refusal.message}
        except Exception as fault:  # noqa: BLE001 - its text may quote anything
            reply = {"refused": type(fault).__name__}
        sys.stdout.write(json.dumps(reply) + "\n")
        sys.stdout.flush()


if __name__ == "__main__":
    main()
