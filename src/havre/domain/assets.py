"""The twelve asset classes as one table, and what the public log names of each by its hash.

The table says in which open format a class leaves, who else than Havre reads
it, and what proves at the new host that it is whole; or that this is not there
yet, and why. `docs/leaving.md` shows it and a test holds the two together.

What is proved against the log needs no trust in the hub that was left: it
could leave something out of its package, but not off the log.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping
from collections.abc import Set as AbstractSet
from dataclasses import dataclass, field
from types import MappingProxyType
from typing import Any

from havre.domain.clock_events import ProjectDeleted
from havre.domain.departure import AssetClass
from havre.domain.events import (
    CatalogueImported,
    DeliveryReceived,
    DrillRan,
    Event,
    ExtractMade,
    JobRan,
    ObjectsListed,
    OutputReleased,
    PartitionsCreated,
    PermitMoved,
    VersionPublished,
    events_of,
)
from havre.domain.key_events import (
    ErasureOrdered,
    KeysErased,
    OldSharesErased,
    ResharingOrdered,
)
from havre.domain.opposition_events import OppositionsUpdated
from havre.formats.ro_crate import NAME as CRATE


@dataclass(frozen=True, slots=True)
class AssetRule:
    """How one class leaves.

    proof: what arriving compares, and with what.
    not_yet: what is missing, and why; empty when nothing is.
    """

    holds: str
    format: str
    reader: str
    proof: str
    not_yet: str = ""


_SEALED = "lines of canonical JSON, AES-256-GCM in 1 MiB chunks, key sealed by HPKE"

ASSETS: Mapping[AssetClass, AssetRule] = MappingProxyType(
    {
        AssetClass.OBJECTS: AssetRule(
            "every object of the store, as it lies there",
            "Parquet Modular Encryption; other objects in AES-256-GCM chunks",
            "PyArrow and Polars for tables, given a key",
            (
                "each object's SHA-256 against the package's manifest; each sealed manifest and"
                " delivered object that the log names, against the log"
            ),
            (
                "that every object a sealed manifest lists is there needs its key; a run proves it"
                " for what it reads"
            ),
        ),
        AssetClass.CATALOGUE: AssetRule(
            "the tables that the hub knows",
            "canonical JSON",
            "any JSON reader",
            "SHA-256 against the newest catalogue on the log",
        ),
        AssetClass.KEYS: AssetRule(
            "public halves of key pairs, where each sealed manifest lies",
            _SEALED,
            "none",
            "each partition on the log has its public key, each manifest its place",
            "the format is written down, and no second reader has been written",
        ),
        AssetClass.TRUST: AssetRule(
            "trust roots; the custodians and their shares stay where they are",
            "canonical JSON",
            "the verifier, tools/verify_log.py",
            "byte for byte against the roots that a custodian keeps",
        ),
        AssetClass.IDENTITIES: AssetRule(
            "each party's name, role and key id",
            "canonical JSON",
            "any JSON reader",
            "made again from the custodian's roots, byte for byte",
        ),
        AssetClass.PERMITS: AssetRule(
            "every signed statement about a permit",
            "in-toto statements in DSSE envelopes, in one JSON list",
            "the verifier, tools/verify_log.py",
            "each statement's SHA-256 against the log",
        ),
        AssetClass.CLOCKS: AssetRule(
            "nothing",
            "none",
            "none",
            "none",
            "what counts and what is due follows from the log; lists of oppositions are objects",
        ),
        AssetClass.LOG: AssetRule(
            "the log as it was when the hub left",
            "C2SP tlog-tiles entry bundles and checkpoint",
            "the verifier, and any client of tlog-tiles",
            "root and every entry against a custodian's copy; a new head cosigned by a quorum",
        ),
        AssetClass.CODE: AssetRule(
            "Havre's own source as it ran, names and versions of what it ran with",
            "a ZIP archive, JSON",
            "any ZIP reader; Python runs it",
            "SHA-256 against the package's manifest",
            "the packages it needs travel by name and version only: a rebuild needs a registry",
        ),
        AssetClass.PIPELINES: AssetRule(
            "havre.toml, catalogue.toml, the hosts' fact sheets, the schemas that Havre brings",
            "TOML, JSON",
            "any TOML and JSON reader",
            "SHA-256 against the package's manifest; the new host writes a havre.toml of its own",
        ),
        AssetClass.MODELS: AssetRule(
            "nothing",
            "none",
            "none",
            "none",
            "a hub keeps no models and no evaluations yet, so there are none to take along",
        ),
        AssetClass.JOBS: AssetRule(
            (
                "jobs, requests, votes, reports and lists of objects; released files; sealed"
                " deliveries that wait"
            ),
            f"{_SEALED}; released files as they are",
            "anybody for released files",
            (
                "released files and receipts against the log; a record for each job and delivery on"
                " it; waiting deliveries object by object against the package's manifest"
            ),
            "private records have a written format and no second reader",
        ),
    }
)


@dataclass(frozen=True, slots=True)
class Named:
    """Something that the log names.

    place: where a hub has it (`Holdings`); `objects/*` is any object.
    sha256: what it must be; empty when being there is enough.
    """

    asset: AssetClass
    place: str
    sha256: str = ""


@dataclass(slots=True)
class Holdings:
    """What a hub has: the SHA-256 of each thing by its place.

    A place is a path of the package, `documents/<kind>/<name>` for a private
    record, or `keys/<partition id>` for a partition's public half.
    """

    places: dict[str, str] = field(default_factory=dict)

    def object_digests(self) -> AbstractSet[str]:
        """The hashes of all objects, whatever they are called."""
        return {sha for place, sha in self.places.items() if place.startswith("objects/")}


# Only what has a hash of its own or a name on the log can be asked for by it.
_NAMES: Mapping[type[Event], Callable[[Any], Iterable[Named]]] = MappingProxyType(
    {
        DeliveryReceived: lambda e: (
            *(
                Named(AssetClass.OBJECTS, f"objects/{name}", sha256)
                for name, sha256 in e.objects.items()
            ),
            Named(AssetClass.JOBS, f"documents/delivery-note/{e.event_id}"),
        ),
        PartitionsCreated: lambda e: (
            Named(AssetClass.KEYS, f"keys/{name}", sha256) for name, sha256 in e.public_keys.items()
        ),
        VersionPublished: lambda e: _manifests(e.manifests.values()),
        ExtractMade: lambda e: _manifests([e.manifest_sha256]),
        ObjectsListed: lambda e: (
            Named(AssetClass.JOBS, f"documents/object-list/{e.event_id}"),
            Named(AssetClass.JOBS, f"documents/object-list-salt/{e.event_id}"),
        ),
        OppositionsUpdated: lambda e: _manifests([e.manifest_sha256]),
        PermitMoved: lambda e: (
            Named(AssetClass.PERMITS, f"permits/{e.statement_sha256}", e.statement_sha256),
            Named(AssetClass.JOBS, f"documents/permit/{e.statement_sha256}", e.statement_sha256),
        ),
        JobRan: lambda e: (Named(AssetClass.JOBS, f"documents/job/{e.job}"),),
        DrillRan: lambda e: (
            Named(AssetClass.JOBS, f"documents/drill-receipt/{e.receipt_sha256}", e.receipt_sha256),
        ),
        ErasureOrdered: lambda e: (
            Named(
                AssetClass.KEYS, f"documents/erasure-order/{e.statement_sha256}", e.statement_sha256
            ),
        ),
        ResharingOrdered: lambda e: (
            Named(
                AssetClass.TRUST,
                f"documents/ceremony-order/{e.statement_sha256}",
                e.statement_sha256,
            ),
            Named(AssetClass.TRUST, f"documents/trust-roots/{e.trust_sha256}", e.trust_sha256),
        ),
        OldSharesErased: lambda e: (
            Named(AssetClass.KEYS, f"documents/retirement-certificate/{e.order}-{name}", sha256)
            for name, sha256 in e.certificates.items()
        ),
        KeysErased: lambda e: (
            Named(AssetClass.KEYS, f"documents/erasure-certificate/{e.order}-{name}", sha256)
            for name, sha256 in e.certificates.items()
        ),
        ProjectDeleted: lambda e: (
            Named(
                AssetClass.KEYS,
                f"documents/deletion-certificate/{e.statement_sha256}",
                e.statement_sha256,
            ),
        ),
        OutputReleased: lambda e: (
            Named(AssetClass.JOBS, f"releases/{e.request}/{name}", sha256)
            for name, sha256 in released_files(e).items()
        ),
    }
)


def released_files(event: OutputReleased) -> dict[str, str]:
    """Every file of a release with its SHA-256, the manifest of the release too."""
    return {**event.files, CRATE: event.manifest_sha256}


def list_named(events: Iterable[Event]) -> tuple[Named, ...]:
    """List what the log names, once each, in order of place."""
    listed = list(events)
    named = {each for event in listed for each in _NAMES.get(type(event), _nothing)(event)}
    # A catalogue takes the place of the one before; only the newest is kept.
    for imported in events_of(listed, CatalogueImported)[-1:]:
        named.add(Named(AssetClass.CATALOGUE, "catalogue.json", imported.catalogue_sha256))
    return tuple(sorted(named, key=lambda each: (each.place, each.sha256)))


def find_lacking(named: Iterable[Named], holdings: Holdings) -> tuple[str, ...]:
    """List what the log names and a hub does not have, or has otherwise.

    Returns places; for an object without a name, its SHA-256.
    """
    objects = holdings.object_digests()
    return tuple(sorted(_told(each) for each in named if not _is_there(each, holdings, objects)))


def _manifests(digests: Iterable[str]) -> Iterator[Named]:
    for sha256 in digests:
        yield Named(AssetClass.OBJECTS, "objects/*", sha256)
        yield Named(AssetClass.KEYS, f"documents/manifest/{sha256}")


def _is_there(named: Named, holdings: Holdings, objects: AbstractSet[str]) -> bool:
    if named.place == "objects/*":
        return named.sha256 in objects
    found = holdings.places.get(named.place)
    return found is not None and named.sha256 in ("", found)


def _told(named: Named) -> str:
    return f"manifest {named.sha256}" if named.place == "objects/*" else named.place


def _nothing(_event: Event) -> Iterable[Named]:
    return ()
