"""The life of a hub's keys, wired: what commands and clocks do about keys that exist already."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from havre.application.ceremony import KnownPartition, PartitionCatalogue
from havre.application.vault.erasing import ErasureReport, Erasures
from havre.bootstrap.holders import publish_for_holders
from havre.bootstrap.hub import OpenHub
from havre.bootstrap.reports import read_file
from havre.bootstrap.tokens import open_token
from havre.domain.erasure import Ground, open_order
from havre.domain.permit import project_secret
from havre.domain.resharing import open_ceremony
from havre.domain.statements import (
    Signer,
    Statement,
    WrongContext,
    envelope_digest,
    merge_signatures,
    sign_statement,
)
from havre.domain.trust import TrustRoots
from havre.errors import NotFound, Refused
from havre.formats.statements import parse_envelope
from havre.values import Partition, PartitionKind, parse_partition


def erasures(hub: OpenHub) -> Erasures:
    """Whoever destroys a hub's keys."""
    return Erasures(
        journal=hub.journal,
        log=hub.log,
        records=hub.records,
        custodians=[*hub.custodians, hub.escrow],
        roots=hub.roots,
        clock=hub.clock,
    )


def erase(
    hub: OpenHub,
    partitions: Sequence[KnownPartition],
    *,
    ground: Ground,
    permit: str = "",
    signers: Sequence[Signer],
) -> ErasureReport:
    """Have the keys of partitions destroyed, all under one order; gone on with when it stands open.

    signers: who orders it. The hub itself may, when the time of something is over, which
        custodians check; what people decide is signed by them (`domain.erasure`).

    Raises:
        Refused, NotGenuine: the order would not hold.
    """
    desk = erasures(hub)
    index = desk.find_order(partitions)
    if index is not None:
        return desk.carry_out(index)
    order = desk.write_order(partitions, ground=ground, permit=permit, signers=signers)
    report = desk.erase(partitions, order)
    if any(each.partition.kind is PartitionKind.LANDING for each in partitions):
        publish_for_holders(hub)
    return report


def erase_project(hub: OpenHub, permit: str) -> ErasureReport:
    """Have a project's keys destroyed, because its permit is over: the hub orders, custodians check.

    Raises:
        NotFound: the project has no keys: nothing was ever extracted for it.
        Refused: the permit is not over.
    """
    return erase(
        hub,
        project_partitions(hub, permit),
        ground=Ground.PERMIT_OVER,
        permit=permit,
        signers=[hub.token],
    )


def project_partitions(hub: OpenHub, permit: str) -> list[KnownPartition]:
    """Find a project's own key pair and its secret, every generation, erased or not.

    Raises:
        NotFound: it has none.
    """
    own = {(PartitionKind.PROJECT, permit), (PartitionKind.SECRET, project_secret(permit))}
    found = [
        each
        for each in PartitionCatalogue(hub.records, log=hub.log).list_partitions()
        if (each.partition.kind, each.partition.name) in own
    ]
    if not found:
        raise NotFound(f"Project {permit} has no keys: nothing was ever extracted for it.")
    return found


def find_partitions(hub: OpenHub, texts: Sequence[str]) -> list[KnownPartition]:
    """Find partitions by their spelling, such as `dataset/dcir/2019/1`.

    Raises:
        NotFound: naming those that the catalogue does not know.
    """
    wanted = {parse_partition(text) for text in texts}
    found = [
        each
        for each in PartitionCatalogue(hub.records, log=hub.log).list_partitions()
        if each.partition in wanted
    ]
    if missing := wanted - {each.partition for each in found}:
        names = ", ".join(sorted(map(_text, missing)))
        raise NotFound(
            f"There is no key pair for {names}.", hint="List them with `havre keys list`."
        )
    return found


def _text(partition: Partition) -> str:
    return partition.text


def erase_by_order(hub: OpenHub, path: Path) -> ErasureReport:
    """Put a signed order on the log, and carry it out.

    Raises:
        Refused, NotGenuine, InvalidInput: it does not hold.
    """
    envelope = read_file(path)
    named = open_order(envelope, roots=hub.roots).order.partitions
    listed = PartitionCatalogue(hub.records, log=hub.log).list_partitions()
    chosen = [each for each in listed if each.partition_id in named]
    report = erasures(hub).erase(chosen, envelope)
    publish_for_holders(hub)
    return report


def carry_out_open(hub: OpenHub) -> list[ErasureReport]:
    """Ask again about every order that stands open."""
    desk = erasures(hub)
    return [desk.carry_out(index) for index in desk.list_open()]


def write_order(
    hub: OpenHub, partitions: Sequence[str], *, parties: Sequence[Path], out: Path
) -> dict[str, object]:
    """Have people sign that some partitions are erased; the order is a file until it is given.

    Raises:
        NotFound: there is no such partition.
        Refused: there is a file of this name already.
    """
    if out.exists():
        raise Refused(f"There is a file {out.name} already.", hint="Name another with --out.")
    found = find_partitions(hub, partitions)
    signers = [open_token(each) for each in parties]
    envelope = erasures(hub).write_order(found, ground=Ground.DECIDED, signers=signers)
    out.write_bytes(envelope)
    return _order_row(out, envelope)


def sign_too(path: Path, party: Path) -> dict[str, object]:
    """Put another party's signature under the order in a file.

    Raises:
        Refused: this party has signed already.
        NotGenuine, InvalidInput: the file is no order that its trust roots believe.
    """
    token, envelope = open_token(party), read_file(path)
    statement = _statement(envelope, token.trust_roots())
    both = merge_signatures([envelope, sign_statement(statement, [token])])
    draft = path.with_name(f"{path.name}.part")
    draft.write_bytes(both)
    draft.replace(path)
    return _order_row(path, both)


def _statement(envelope: bytes, roots: TrustRoots) -> Statement:
    """Read an order of either kind, whose signatures so far hold."""
    try:
        return open_order(envelope, roots=roots).opened.statement
    except WrongContext:
        return open_ceremony(envelope, roots=roots, complete=False).opened.statement


def _order_row(path: Path, envelope: bytes) -> dict[str, object]:
    return {
        "order": str(path),
        "sha256": str(envelope_digest(envelope)),
        "signatures": len(parse_envelope(envelope).signatures),
    }


def erasure_row(report: ErasureReport) -> dict[str, object]:
    """What a command shows of an order."""
    return {
        "order": report.order,
        "partitions": len(report.partitions),
        "state": "open" if report.erased is None else "erased",
        "attested": sorted(report.attested),
        "needed": report.needed,
        "missing": dict(report.missing),
    }
