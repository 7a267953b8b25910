"""Founding a hub in a directory: its parties beside it, its first keys, its first entries.

Made for one machine: every party is a directory that one person holds, so
nothing is separated yet, and the command says so. Each directory can then be
carried to where it belongs.
"""

from __future__ import annotations

import fcntl
import hashlib
import os
import re
import shutil
from collections.abc import Callable, Iterable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from types import MappingProxyType

from havre.application.ingest_run import aside_partition
from havre.application.oppositions import OPPOSITIONS_PARTITION
from havre.bootstrap.holders import publish_for_holders
from havre.bootstrap.hub import OpenHub
from havre.bootstrap.parties import directories
from havre.bootstrap.party_places import PartyPlace
from havre.bootstrap.place import (
    CONFIGURATION,
    HubPlace,
    draft_place,
    find_draft,
    settle_place,
)
from havre.bootstrap.reaching import open_witness
from havre.bootstrap.schemas import core_tables
from havre.bootstrap.services import socket_path, write_service
from havre.bootstrap.serving import check_socket_path
from havre.bootstrap.tokens import PartyToken, create_token, open_token
from havre.crypto.random import new_object_id
from havre.domain.custody import PREDICATE_MANDATE
from havre.domain.events import HubOpened
from havre.domain.oppositions import OPPOSITIONS_DATASET
from havre.domain.statements import Statement, sign_statement
from havre.domain.trust import (
    THIS_MACHINE,
    Role,
    TrustRoots,
    check_trust_roots,
    encode_trust_roots,
)
from havre.domain.upkeep import STAGE_2_SECRET
from havre.errors import InvalidInput, Refused, Unavailable
from havre.formats.token_uri import parse_token_uri
from havre.ports.pages import SiteSettings
from havre.values import Partition, PartitionKind, instant_text

CUSTODIANS = ("custodian-1", "custodian-2", "custodian-3")
WITNESSES = ("witness-1", "witness-2", "witness-3", "witness-4")
# The parties of a hub on one machine; each is its own operator on paper.
PARTIES: dict[str, Role] = {
    "authority-1": Role.AUTHORITY,
    "authority-2": Role.AUTHORITY,
    "checker-1": Role.CHECKER,
    "checker-2": Role.CHECKER,
    "controller": Role.CONTROLLER,
    **dict.fromkeys(CUSTODIANS, Role.CUSTODIAN),
    "escrow": Role.ESCROW,
    "holder": Role.HOLDER,
    "researcher": Role.RESEARCHER,
    **dict.fromkeys(WITNESSES, Role.WITNESS),
}
STAGE_1_SECRET = "stage-1"
# What a hub begins with. Key pairs for the other datasets of the catalogue are made when
# they are wanted (`havre ceremony --dataset`): every one is three custodians' work, twelve times.
_BEGINS_WITH = ("beneficiaires", "cepidc", "dcir", "pmsi-mco")
_YEARS_BACK, _YEARS_AHEAD = 8, 2
_LANDING_PLACES = 80
_DAILY_RELEASES = 50
# It stands in signed notes, whose names hold no blank and no plus, and before a `#`.
_ORIGIN = re.compile(r"[A-Za-z0-9][A-Za-z0-9._~:/-]{0,199}")
# What a founding makes in the hub's directory.
_MADE = (
    "holders",
    "inbox",
    "party",
    "private",
    "records.sqlite",
    "records.sqlite-shm",
    "records.sqlite-wal",
    "site",
    "store",
)


@dataclass(frozen=True, slots=True)
class Founded:
    """What was made."""

    hub: Path
    parties: Path
    partitions: int
    tables: int


def found_hub(
    folder: Path,
    *,
    parties: Path,
    origin: str,
    progress: Callable[[str], None],
    settings: SiteSettings,
    tokens: Mapping[str, str] = MappingProxyType({}),
    services: bool = False,
) -> Founded:
    """Make a hub and everybody it needs.

    origin: the log's name for its whole life, such as `hub.example/log`.
    settings: what the public site says of this hub that its log does not know.
    tokens: the address of a hardware token, by the short name of the party that has one.
    progress: told, in a sentence, what is being made.
    services: custodians and witnesses are asked as processes of their own from then on.

    One that was cut short is cleared away and begun anew: nobody could have used it,
    because `havre.toml` gets its name last.

    Raises:
        InvalidInput: the log's name has another spelling than it may have, or the parties'
            directories lie so deep that no socket can stand in them.
        Refused: there is a hub, or a party, already; or another founding is under way.
    """
    if not _ORIGIN.fullmatch(origin):
        raise InvalidInput(
            "The log's name is empty, too long, or holds a blank or a sign that it may not hold.",
            hint="Name it like hub.example/log.",
        )
    _check_tokens(tokens)
    with _alone_in(folder):
        _clear_cut_short(folder)
        _check_free(folder, parties)
        if services:
            for name in (*CUSTODIANS, "escrow", *WITNESSES):
                check_socket_path(socket_path(parties / name))
        place = draft_place(
            folder,
            custodians=[parties / name for name in CUSTODIANS],
            escrow=parties / "escrow",
            witnesses=[parties / name for name in WITNESSES],
            settings=settings,
        )
        founded = _found(place, parties=parties, origin=origin, progress=progress, tokens=tokens)
        if services:
            _draft_services(place)
        settle_place(folder)
        return founded


def _found(
    place: HubPlace,
    *,
    parties: Path,
    origin: str,
    progress: Callable[[str], None],
    tokens: Mapping[str, str],
) -> Founded:
    progress("making each party's keys")
    roots = _make_parties(place.folder, parties, origin, tokens)
    for witness in directories(place.witnesses):
        open_witness(witness).begin()
    hub = OpenHub(place.folder, place=place)
    progress("opening the log")
    trust = encode_trust_roots(roots)
    hub.journal.record(
        HubOpened(
            event_id=new_object_id(),
            at=hub.clock.now(),
            origin=origin,
            trust_sha256=hashlib.sha256(trust).hexdigest(),
        )
    )
    known = hub.catalogue.import_tables(core_tables())
    progress("holding the key ceremony")
    datasets = {built.schema.dataset for built in known.tables}
    made = hub.ceremonies.make(
        [
            *dataset_partitions(_BEGINS_WITH, this_year=hub.clock.now().year),
            OPPOSITIONS_PARTITION,
            Partition(PartitionKind.SECRET, STAGE_2_SECRET),
            *landing_places(0, _LANDING_PLACES),
        ]
    )
    give_mandate(hub, open_token(parties / "controller"), {*datasets, OPPOSITIONS_DATASET})
    publish_for_holders(hub)
    return Founded(place.folder, parties, len(made), len(known.tables))


def _check_tokens(tokens: Mapping[str, str]) -> None:
    """Refuse, before anything is made, an address that is none or a party that is not there."""
    for name, address in tokens.items():
        if name not in PARTIES:
            raise InvalidInput(
                f"A founding makes no party {name}.",
                hint=f"It makes: {', '.join(sorted(PARTIES))}.",
            )
        parse_token_uri(address)


def _draft_services(place: HubPlace) -> None:
    """From now on each custodian and witness is asked at a socket in its own directory."""

    def addresses(places: Iterable[PartyPlace]) -> list[PartyPlace]:
        return [write_service(folder, log=place.log) for folder in directories(places)]

    draft_place(
        place.folder,
        custodians=addresses(place.custodians),
        escrow=addresses([place.escrow])[0],
        witnesses=addresses(place.witnesses),
        settings=place.settings,
    )


@contextmanager
def _alone_in(folder: Path) -> Iterator[None]:
    """Keep a second founding out of a directory; the kernel lets go when a process dies."""
    folder.mkdir(parents=True, exist_ok=True)
    descriptor = os.open(folder, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
        yield
    except BlockingIOError:
        raise Refused(
            "Another command founds a hub in this directory.", hint="Wait until it has ended."
        ) from None
    finally:
        os.close(descriptor)


def _clear_cut_short(folder: Path) -> None:
    """Remove what a founding that was cut short has made.

    All of it was made by that founding: it began by seeing that nothing was there.
    """
    begun = find_draft(folder)
    if begun is None or (folder / CONFIGURATION).exists():
        return
    escrow = begun.escrow
    # Of one that was cut short at its last step, the draft has the socket in that directory.
    made_in = escrow.parent if isinstance(escrow, Path) else Path(escrow.socket).parents[1]
    for path in (*_party_folders(made_in), *(folder / name for name in _MADE)):
        if path.is_dir():
            shutil.rmtree(path)
        else:
            path.unlink(missing_ok=True)


def _check_free(folder: Path, parties: Path) -> None:
    """Refuse to found where something is, before anything is made."""
    if (folder / CONFIGURATION).exists():
        raise Refused("There is a hub in this directory already.", hint="Name an empty one.")
    if there := [name for name in _MADE if (folder / name).exists()]:
        raise Refused(
            f"The hub's directory is not empty: it holds {', '.join(there)}.",
            hint="Name an empty one.",
        )
    if taken := [each.name for each in _party_folders(parties) if _holds_something(each)]:
        raise Refused(
            f"There is something already in the parties' directories: {', '.join(taken)}.",
            hint="Name an empty --parties. Of an `init` that was cut short, name the same --hub.",
        )


def _party_folders(parties: Path) -> list[Path]:
    return [parties / name for name in PARTIES]


def _holds_something(path: Path) -> bool:
    return path.exists() and (not path.is_dir() or any(path.iterdir()))


def dataset_partitions(
    datasets: Iterable[str], *, this_year: int, since: int | None = None
) -> list[Partition]:
    """The partitions that a dataset needs: undated rows, and each year near this one.

    since: the first year of its data, where that is longer ago.
    """
    first = min(since or this_year, this_year - _YEARS_BACK)
    years = (0, *range(first, this_year + _YEARS_AHEAD + 1))
    named = sorted(datasets)
    return [
        *(Partition(PartitionKind.DATASET, dataset, year) for dataset in named for year in years),
        *(aside_partition(dataset) for dataset in named),
    ]


def landing_places(have: int, more: int) -> list[Partition]:
    """Landing partitions for deliveries to come; each is used once."""
    return [
        Partition(PartitionKind.LANDING, f"landing-{number:05d}")
        for number in range(have + 1, have + more + 1)
    ]


def give_mandate(hub: OpenHub, controller: PartyToken, datasets: Iterable[str]) -> None:
    """Have the controller sign the standing mandate for ingestion, and give it to custodians.

    One who is away gets it when it is back; until then the others are enough.

    Raises:
        Unavailable: fewer of them answer than open a partition together.
    """
    statement = Statement(
        PREDICATE_MANDATE,
        hub.roots.origin,
        "ingestion",
        {
            "begins_at": instant_text(hub.clock.now()),
            "daily_releases": _DAILY_RELEASES,
            "datasets": [*sorted(datasets)],
        },
    )
    envelope = sign_statement(statement, [controller])
    away = []
    for custodian in hub.custodians:
        try:
            custodian.give_mandate(envelope)
        except Unavailable as fault:
            away.append(fault)
    if away and len(hub.custodians) - len(away) < hub.roots.custodian_threshold:
        raise away[0]


def _make_parties(
    folder: Path, parties: Path, origin: str, token_of: Mapping[str, str]
) -> TrustRoots:
    tokens = [
        create_token(
            parties / name,
            name=name,
            role=role,
            operator=f"{name} {THIS_MACHINE}",
            token=token_of.get(name, ""),
        )
        for name, role in PARTIES.items()
    ]
    tokens.append(
        create_token(folder / "party", name="hub", role=Role.HUB, operator=f"hub {THIS_MACHINE}")
    )
    roots = TrustRoots(
        origin,
        tuple(sorted((token.party for token in tokens), key=lambda party: party.name)),
        faulty_witnesses=1,
        custodian_threshold=2,
    )
    check_trust_roots(roots)
    document = encode_trust_roots(roots)
    for token in tokens:
        (token.folder / "trust.json").write_bytes(document)
        if token.config.role is Role.HOLDER:
            token.create_secret(STAGE_1_SECRET)
    (folder / "site").mkdir(exist_ok=True)
    return roots
