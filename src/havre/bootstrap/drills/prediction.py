"""What the exposure model says a hub's store hosts have, and how findings are spelled in its terms.

Only the stores are seized. So a store that stands in a directory of the hub's own
machine counts as somebody else's here: otherwise whoever has the machine has
everything, and nothing that is found could surprise anybody.
"""

from __future__ import annotations

from dataclasses import replace

from havre.application.ceremony import PartitionCatalogue
from havre.bootstrap.exposing import read_set_up
from havre.bootstrap.hub import OpenHub
from havre.bootstrap.sheets import read_sheets
from havre.domain.events import KeysRequested, PartitionsCreated, events_of
from havre.domain.exposure.hub import PlacedStore, derive_deployment, house_name
from havre.domain.exposure.observed import Prediction
from havre.domain.exposure.terms import seal
from havre.values import PartitionKind

# What a partition of a kind holds, in the model's terms; a data set that was opened is another.
_HOLDS = {
    PartitionKind.DATASET: "base",
    PartitionKind.PROJECT: "working-set",
    PartitionKind.LANDING: "deliveries",
}
_ASSUMED = "stores in directories of the hub's machine counted as if another host had them"


def predict(hub: OpenHub) -> Prediction:
    """Derive a hub's deployment for a seizure of its stores.

    Raises:
        InvalidInput: a fact sheet has faults.
    """
    sheets = read_sheets(hub.place.folder)
    set_up = read_set_up(hub, sheets=sheets)
    stores = tuple(map(_set_apart, set_up.stores))
    on = hub.clock.now().date()
    derived = derive_deployment(replace(set_up, stores=stores), list(sheets.values()), on=on)
    messages = {_HOLDS[kind] for kind in set_up.made if kind in _HOLDS}
    messages |= {"opened"} if set_up.opened.get(PartitionKind.DATASET) else set()
    return Prediction(
        derived.deployment,
        tuple(dict.fromkeys(house_name(store.house) for store in stores)),
        _key_terms(hub),
        frozenset(seal(f"seed/{message}", message) for message in messages),
        on,
        () if all(store.apart for store in set_up.stores) else (_ASSUMED,),
    )


def _set_apart(store: PlacedStore) -> PlacedStore:
    return store if store.apart else replace(store, house=f"host of {store.name}", apart=True)


def _key_terms(hub: OpenHub) -> dict[str, str]:
    """Say which term each key's seed is; one that the model has no term for is one of its own."""
    events = [logged.event for logged in hub.log.entries()]
    opened = {each for event in events_of(events, KeysRequested) for each in event.partitions}
    known = PartitionCatalogue(hub.records, log=hub.log).list_partitions()
    kinds = {each.partition_id: each.partition.kind for each in known}
    terms = {party.key_id: f"party-key/{party.name}" for party in hub.roots.parties}
    for created in events_of(events, PartitionsCreated):
        for partition, digest in created.public_keys.items():
            kind = kinds.get(partition, PartitionKind.DATASET)
            terms[digest] = _seed_term(kind, opened=partition in opened)
    return terms


def _seed_term(kind: PartitionKind, *, opened: bool) -> str:
    if kind is PartitionKind.SECRET:
        return "second-secret"
    if kind is PartitionKind.DATASET and opened:
        return "seed/opened"
    return f"seed/{_HOLDS[kind]}"
