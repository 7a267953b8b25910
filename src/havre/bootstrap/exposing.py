"""Exposure, wired: a hub's own deployment from its configuration, and deployments from files."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from importlib import resources
from ipaddress import ip_address
from pathlib import Path
from urllib.parse import urlsplit

from havre.adapters.machine.clock import SystemClock
from havre.application.ceremony import PartitionCatalogue
from havre.bootstrap.hub import OpenHub
from havre.bootstrap.parties import name_of
from havre.bootstrap.party_places import PartyPlace
from havre.bootstrap.sheets import read_sheets, read_small_file
from havre.bootstrap.stores import store_places
from havre.domain.events import KeysRequested, events_of
from havre.domain.exposure.certificate import encode_certificate, encode_facts
from havre.domain.exposure.deployment import Deployment, parse_law
from havre.domain.exposure.hub import (
    DerivedDeployment,
    HubSetUp,
    PlacedParty,
    PlacedStore,
    acquired,
    derive_deployment,
)
from havre.domain.exposure.reading import parse_deployment
from havre.domain.exposure.sheet import HostSheet
from havre.domain.exposure.verdicts import Analysis
from havre.domain.trust import Role
from havre.errors import InvalidInput, NotFound
from havre.ports.pages import ShownExposure
from havre.values import PartitionKind


def derive_exposure(hub: OpenHub) -> DerivedDeployment:
    """Derive a hub's own deployment as it is set up now.

    Raises:
        InvalidInput: a fact sheet has faults; all of them are named.
        NotGenuine: the records hold other public keys than the log.
    """
    sheets = read_sheets(hub.place.folder)
    set_up = read_set_up(hub, sheets=sheets)
    return derive_deployment(set_up, list(sheets.values()), on=hub.clock.now().date())


def show_exposure(hub: OpenHub) -> ShownExposure:
    """Work out what the public site shows of a hub's exposure.

    Raises:
        InvalidInput: a fact sheet has faults; all of them are named.
    """
    derived = derive_exposure(hub)
    analysis = Analysis(derived.deployment)
    return ShownExposure(
        analysis=analysis,
        unstated=derived.unstated,
        sheets=list(read_sheets(hub.place.folder).values()),
        on=hub.clock.now().date(),
        certificate=encode_certificate(analysis),
        facts=encode_facts(derived.deployment),
    )


def read_set_up(hub: OpenHub, *, sheets: Mapping[str, HostSheet]) -> HubSetUp:
    """Read who stands where, and what the log says was opened.

    sheets: fact sheets by the name of their file, which a store's `host` names.
    """
    events = [logged.event for logged in hub.log.entries()]
    asked = {each for event in events_of(events, KeysRequested) for each in event.partitions}
    known = PartitionCatalogue(hub.records, log=hub.log).list_partitions()
    kinds = {each.partition_id: each.partition.kind for each in known}
    return HubSetUp(
        origin=hub.roots.origin,
        parties=list_placed_parties(hub),
        stores=list_placed_stores(hub, sheets=sheets),
        threshold=hub.roots.custodian_threshold,
        quorum=hub.roots.quorum,
        made=Counter(kinds.values()),
        # What the records do not know is of the kind that matters most.
        opened=Counter(kinds.get(each, PartitionKind.DATASET) for each in asked),
        entries=len(events),
    )


def list_placed_parties(hub: OpenHub) -> list[PlacedParty]:
    """List every party of the trust roots, and whether it stands on another machine.

    `havre.toml` gives a directory for those whom the hub asks, or an address. Only an
    address on another host sets a party apart: whoever runs this machine can read
    every directory of it, and speak for whoever answers on one of its sockets.
    """
    places = [*hub.place.custodians, hub.place.escrow, *hub.place.witnesses]
    apart = {_name(place): _is_elsewhere(place) for place in places}
    return [
        PlacedParty(party.name, party.role, party.operator, apart.get(party.name, False))
        for party in hub.roots.parties
    ]


def list_placed_stores(hub: OpenHub, *, sheets: Mapping[str, HostSheet]) -> list[PlacedStore]:
    """List the stores and whose each is: of the host that `havre.toml` names, or of whoever must be.

    A directory of which no host is named is this machine's. A bucket of which none is
    named is somebody's of whom nothing is stated.
    """
    (own,) = hub.roots.with_role(Role.HUB)
    placed = []
    for store in store_places(hub.place):
        here = store.path is not None or _is_this_machine(urlsplit(store.endpoint).hostname or "")
        sheet = sheets.get(store.host)
        unnamed = own.operator if here else f"host of {store.name}"
        house = sheet.operator if sheet else store.host or unnamed
        placed.append(PlacedStore(store.name, house, apart=bool(store.host) or not here))
    return placed


def _name(place: PartyPlace) -> str:
    return name_of(place) if isinstance(place, Path) else place.name


def _is_elsewhere(place: PartyPlace) -> bool:
    """Tell whether a place is an address on another host; a directory and a socket are none."""
    host = "" if isinstance(place, Path) else place.host
    return bool(host) and not _is_this_machine(host)


def _is_this_machine(host: str) -> bool:
    try:
        return ip_address(host).is_loopback
    except ValueError:
        return host == "localhost"


def list_references() -> list[str]:
    """Name the deployments that come with Havre."""
    folder = resources.files("havre.domain.exposure").joinpath("references")
    return sorted(each.name.removesuffix(".toml") for each in folder.iterdir())


def read_reference(name: str) -> Deployment:
    """Read one of them.

    Raises:
        NotFound: there is none of that name.
    """
    if name not in list_references():
        raise NotFound(
            "There is no file and no reference deployment of that name.",
            hint=f"These come with Havre: {', '.join(list_references())}.",
        )
    folder = resources.files("havre.domain.exposure").joinpath("references")
    return parse_deployment(folder.joinpath(f"{name}.toml").read_bytes())


def read_deployment(named: str) -> Deployment:
    """Read a deployment from a TOML file, or one that comes with Havre by its name.

    Raises:
        NotFound: there is neither.
        InvalidInput: the file has faults; all of them are named.
    """
    path = Path(named)
    return parse_deployment(read_small_file(path)) if path.is_file() else read_reference(named)


def suppose(deployment: Deployment, *, takeovers: Iterable[str], gates: bool) -> Deployment:
    """Change a deployment by what-ifs.

    takeovers: as `store-a=US`: an operator is bought from under that law.
    gates: false lets every maker push without anybody's leave.

    Raises:
        InvalidInput: a takeover is spelled otherwise.
        NotFound: there is no such operator.
    """
    today = SystemClock().now().date()
    changed = deployment if gates else deployment.without_gates()
    for takeover in takeovers:
        operator, law = _parse_takeover(takeover, operators=list(deployment.operators))
        changed = acquired(changed, operator=operator, law=law, on=today)
    return changed


def _parse_takeover(text: str, *, operators: Sequence[str]) -> tuple[str, str]:
    operator, sign, law = text.partition("=")
    if not sign:
        raise InvalidInput(
            "A takeover is not spelled like store-a=US.",
            hint="Write the operator's short name, an equals sign and the law's letters.",
        )
    if operator not in operators:
        raise NotFound(
            "There is no operator of that name in this deployment.",
            hint=f"These are there: {', '.join(operators)}.",
        )
    return operator, parse_law(law)
