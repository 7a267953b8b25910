"""The subpoena drill: everything that the store's host holds is taken and searched.

Canaries are planted first, by the vault's own way of writing, so that finding
none means something. Whatever is obtained is held against the exposure model: a
term that the model says cannot be known there makes the drill fail.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from collections.abc import Set as AbstractSet
from dataclasses import dataclass, field

from havre.application.audit import PublicLog
from havre.application.drill.desk import DrillDesk
from havre.application.drill.search import Search, search_seizure
from havre.application.vault.sealing import VaultWriter, WritePlace
from havre.domain.drill_receipt import DrillRun
from havre.domain.events import PartitionsCreated, events_of
from havre.domain.exposure.observed import Prediction
from havre.domain.rehearsals import DrillName
from havre.domain.seizure import Grave
from havre.domain.trust import TrustRoots
from havre.formats.canonical import Json
from havre.formats.manifest import ObjectKind
from havre.ports.objects import ObjectStore
from havre.ports.seizure import Seizure
from havre.values import ObjectId

_LEFT_OUT = (
    "the hub's own directory but for its inbox and its log: records, keys and configuration are"
    " clear there, on the hub's own ground"
)
# What this drill itself plants into the stores, by what it stands for.
_PLANTED = {"data": ObjectKind.QUARANTINE, "manifests": ObjectKind.MANIFEST}
_DELIVERIES, _METADATA = "deliveries", "metadata"


@dataclass(frozen=True, slots=True)
class Seized:
    """Everything that is taken, and what is known of it.

    stores: the places that are the hub's stores. canaries: texts that are known to be
        somewhere inside what is sealed, each with the term of the exposure model that
        whoever reads it has. public: place and name of files that everybody may read.
    classes: asset classes in which something was planted, each with its place.
    missed: those whose finder missed what was laid open on purpose.
    """

    seizure: Seizure
    stores: frozenset[str]
    canaries: Mapping[str, str] = field(default_factory=dict)
    public: AbstractSet[tuple[str, str]] = frozenset()
    classes: Mapping[str, str] = field(default_factory=dict)
    missed: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class SubpoenaRan:
    """What was found, what that comes to, and the receipt's SHA-256."""

    search: Search
    run: DrillRun
    receipt_sha256: str


class SubpoenaDrill:
    """Plants, takes, searches, and puts it on record."""

    def __init__(
        self,
        *,
        vault: VaultWriter,
        objects: ObjectStore,
        log: PublicLog,
        roots: TrustRoots,
        desk: DrillDesk,
    ) -> None:
        self._vault = vault
        self._objects = objects
        self._log = log
        self._roots = roots
        self._desk = desk

    def run(
        self, seized: Seized, *, place: WritePlace, prediction: Prediction, own: Sequence[str]
    ) -> SubpoenaRan:
        """Take everything, search it, and say on the log what was found.

        place: a partition into which canaries of our own are sealed first.
        prediction: what whoever has the stores can know, as the exposure model has it.
        own: canaries to be planted, one for the data and one for the manifests.

        Raises:
            HandedOver: the hub has left, and its log takes no receipt.
        """
        begun = self._desk.begin()
        canaries = {**dict.fromkeys(own, _DELIVERIES), **seized.canaries}
        planted: list[ObjectId] = []
        try:
            for canary, kind in zip(own, _PLANTED.values(), strict=True):
                sealed = self._vault.seal_bytes([canary.encode() * 40], kind=kind, place=place)
                planted.append(sealed.object_id)
            found = search_seizure(
                seized.seizure,
                canaries=list(canaries),
                public_keys=self.public_keys(),
                public=seized.public,
            )
        finally:
            for object_id in planted:
                self._objects.delete(object_id)
        classes = {**dict.fromkeys(_PLANTED, "the stores"), **seized.classes}
        observed = _observed(found, seized, terms=list(canaries.values()), prediction=prediction)
        run = _run_of(found, seized, classes=classes, observed=observed, prediction=prediction)
        return SubpoenaRan(found, run, self._desk.record(run, begun=begun))

    def public_keys(self) -> frozenset[str]:
        """The SHA-256 of every public key of the hub, which a seed that is found is tried on."""
        events = [logged.event for logged in self._log.entries()]
        keys = {
            digest
            for created in events_of(events, PartitionsCreated)
            for digest in created.public_keys.values()
        }
        return frozenset(keys | {party.key_id for party in self._roots.parties})


def _observed(
    found: Search, seized: Seized, *, terms: Sequence[str], prediction: Prediction
) -> frozenset[str]:
    """Spell what was obtained in the exposure model's terms."""
    observed = {terms[number] for number in found.canaries_read}
    # A key that the hub made and the model has no term for is one that it cannot know.
    observed |= {prediction.key_terms.get(key, f"key/{key}") for key in found.keys_found}
    if any(place in seized.stores for place, _ in found.seized):
        observed |= {_METADATA, *prediction.sealed}
    return frozenset(observed)


def _run_of(
    found: Search,
    seized: Seized,
    *,
    classes: Mapping[str, str],
    observed: frozenset[str],
    prediction: Prediction,
) -> DrillRun:
    unpredicted = prediction.unpredicted(observed)
    return DrillRun(
        drill=DrillName.SUBPOENA,
        observed={
            **{grave.value: found.found[grave.value] for grave in Grave},
            "classes": len(classes),
            "missed": len(seized.missed),
            "not-predicted": len(unpredicted),
        },
        counters={
            "canaries": found.canaries,
            "clear_by_design": found.clear_by_design.total(),
            "files": found.files,
            "keys_tried": found.keys_tried,
            "sightings": len(found.sightings),
            "size_bytes": found.size_bytes,
            **{f"found_{grave.replace('-', '_')}": n for grave, n in found.found.items()},
        },
        not_separated=prediction.assumed,
        details={
            **_searched(found),
            "classes": {**classes},
            "coalition": [*prediction.coalition],
            "missed": [*seized.missed],
            "not_predicted": [*unpredicted],
            "obtained": [*sorted(observed)],
            "predicted": [*sorted(prediction.predicted)],
        },
    )


def _searched(found: Search) -> dict[str, Json]:
    sightings: list[Json] = [
        {"file": each.file, "grave": each.grave.value, "spelling": each.spelling, "what": each.what}
        for each in found.sightings
    ]
    places: list[Json] = [
        {"files": number, "kind": kind, "place": place}
        for (place, kind), number in sorted(found.seized.items())
    ]
    return {
        "clear_by_design": dict(found.clear_by_design),
        "conclusion": found.conclusion,
        "left_out": _LEFT_OUT,
        "seized": places,
        "sightings": sightings,
    }
