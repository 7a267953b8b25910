"""How long it takes to give the shares of ten thousand partitions to other custodians.

A whole hub on files: an order of two houses, attended at two custodians; one leaves
and another comes. Every seed is combined and split anew, every old share destroyed.
Goal: no data object is read. The store lies beside the hub and every file that is
opened is noted; it is an error if one of the store's is among them, or differs after.
"""

from __future__ import annotations

import hashlib
import sys
import tempfile
import time
from pathlib import Path

from havre.adapters.tokens.file import create_party
from havre.application.ceremony import PartitionCatalogue
from havre.bootstrap.founding import found_hub, landing_places
from havre.bootstrap.hub import OpenHub
from havre.bootstrap.resharing import adopt, attend, draft_trust, reshare, write_ceremony_order
from havre.crypto.random import new_object_id, random_bytes
from havre.domain.trust import Role
from havre.ports.pages import SiteSettings

PARTITIONS, OBJECTS, OBJECT_BYTES = 10_000, 200, 64 * 1024
_CEREMONY = 1_000


def main(partitions: int = PARTITIONS) -> dict[str, float]:
    """Measure; seconds, partitions a second, and the objects that were read."""
    with tempfile.TemporaryDirectory() as name:
        root = Path(name)
        hub = _filled(root, partitions)
        order, trust = _ordered(hub, root)
        before, opened = _digests(hub.place.store), _Opened(hub.place.store)
        start, own = time.perf_counter(), time.process_time()
        report = reshare(OpenHub(root / "hub"), order, trust)
        taken, own = time.perf_counter() - start, time.process_time() - own
        read = opened.stop()
        assert (report.reshared, report.ended is not None) == (partitions, True)
        assert _digests(hub.place.store) == before
        assert read == 0, "a data object was read"
    return {
        "reshared_partitions": report.reshared,
        "reshared_s": round(taken, 1),
        "reshared_own_s": round(own, 1),
        "reshared_partitions_s": round(partitions / taken),
        "reshared_objects_read": read,
    }


class _Opened:
    """Counts the files of one folder that this process opens, by whatever means."""

    def __init__(self, folder: Path) -> None:
        self._beginning = str(folder.resolve())
        self._watching = True
        self._count = 0
        sys.addaudithook(self._look)

    def _look(self, event: str, words: tuple[object, ...]) -> None:
        if self._watching and event == "open" and isinstance(words[0], str | bytes | Path):
            path = words[0].decode() if isinstance(words[0], bytes) else str(words[0])
            self._count += path.startswith(self._beginning)

    def stop(self) -> int:
        """See that the counter works, and return what it counted before."""
        counted = self._count
        next(iter(self._store_files())).read_bytes()
        assert self._count == counted + 1, "what is opened was not noticed"
        self._watching = False
        return counted

    def _store_files(self) -> list[Path]:
        return [path for path in Path(self._beginning).rglob("*") if path.is_file()]


def _filled(root: Path, partitions: int) -> OpenHub:
    """Found a hub, make its partitions as many as are wanted, and put objects beside it."""
    found_hub(
        root / "hub",
        parties=root / "parties",
        origin="bench.example/log",
        progress=lambda _said: None,
        settings=SiteSettings(made_up=True),
    )
    hub = OpenHub(root / "hub")
    have = _count(hub)
    while have < partitions:
        more = min(_CEREMONY, partitions - have)
        hub.ceremonies.make(landing_places(have, more))
        have += more
    for _ in range(OBJECTS):
        hub.objects.put(new_object_id(), [random_bytes(OBJECT_BYTES)])
    return hub


def _count(hub: OpenHub) -> int:
    return len(PartitionCatalogue(hub.records, log=hub.log).list_partitions())


def _ordered(hub: OpenHub, root: Path) -> tuple[Path, Path]:
    """Have it ordered and attended that custodian-4 takes over from custodian-3."""
    parties = root / "parties"
    fresh, order, trust = parties / "custodian-4", root / "order.json", root / "trust.json"
    create_party(fresh, name="custodian-4", role=Role.CUSTODIAN, operator="house of custodian-4")
    draft_trust(hub, add=[fresh], former=["custodian-3"], threshold=None, out=trust)
    signers = [parties / "controller", parties / "authority-1"]
    write_ceremony_order(hub, trust, parties=signers, out=order)
    adopt(order, trust, fresh)
    for name in ("custodian-1", "custodian-2"):
        attend(order, parties / name)
    configuration = root / "hub" / "havre.toml"
    text = configuration.read_text(encoding="utf-8")
    named = 'custodians = ["../parties/custodian-1", "../parties/custodian-2", '
    assert f'{named}"../parties/custodian-3"]' in text
    text = text.replace(
        f'{named}"../parties/custodian-3"]',
        f'{named}"../parties/custodian-4"]\nformer = ["../parties/custodian-3"]',
    )
    configuration.write_text(text, encoding="utf-8")
    return order, trust


def _digests(store: Path) -> dict[str, str]:
    return {
        path.name: hashlib.sha256(path.read_bytes()).hexdigest()
        for path in store.rglob("*")
        if path.is_file()
    }


if __name__ == "__main__":
    print(main(int(sys.argv[1]) if len(sys.argv) > 1 else PARTITIONS))
