"""Ceremonies that give shares to others, wired: drafted, signed, attended, adopted, held."""

from __future__ import annotations

import os
from collections.abc import Callable, Sequence
from contextlib import suppress
from dataclasses import replace
from pathlib import Path

from havre.adapters.custody.succession import attendance_of
from havre.application.vault.keys import KeyRelease
from havre.application.vault.resharing import Resharing, ResharingReport
from havre.bootstrap.hub import OpenHub
from havre.bootstrap.reports import read_file
from havre.bootstrap.tokens import open_token
from havre.crypto.random import new_object_id
from havre.domain.resharing import CeremonyOrder, open_ceremony, sign_ceremony
from havre.domain.succession import check_succession, holders_of, trust_digest
from havre.domain.trust import Party, Role, TrustRoots, encode_trust_roots, parse_trust_roots
from havre.errors import NotFound, Refused

Row = dict[str, object]


def resharing(hub: OpenHub) -> Resharing:
    """Whoever holds such ceremonies at a hub, by the trust roots that it has."""
    former = [hub.reach.custodian(place) for place in hub.place.former]
    everybody = [*hub.custodians, hub.escrow, *former]
    return Resharing(
        journal=hub.journal,
        log=hub.log,
        records=hub.records,
        custodians=everybody,
        release=KeyRelease(
            journal=hub.journal,
            log=hub.log,
            custodians=everybody,
            threshold=hub.roots.custodian_threshold,
            room=hub.key_room,
            clock=hub.clock,
            roots=hub.roots,
        ),
        roots=hub.roots,
        clock=hub.clock,
    )


def draft_trust(
    hub: OpenHub,
    *,
    add: Sequence[Path],
    former: Sequence[str],
    threshold: int | None,
    out: Path,
) -> Row:
    """Write trust roots in which others are custodians; nothing follows from it yet.

    add: directories of parties who become custodians. former: names of those who are none
        any more.

    Raises:
        Refused: they would change something else, or there is a file already.
        NotFound: nobody is called so.
    """
    if out.exists():
        raise Refused(f"There is a file {out.name} already.", hint="Name another with --out.")
    old = hub.roots
    if unknown := sorted(set(former) - {party.name for party in old.parties}):
        raise NotFound(f"The trust roots name nobody called {', '.join(unknown)}.")
    kept = [
        replace(party, role=Role.FORMER) if party.name in former else party for party in old.parties
    ]
    fresh: list[Party] = [open_token(each).party for each in add]
    new = TrustRoots(
        old.origin,
        tuple(sorted([*kept, *fresh], key=lambda party: party.name)),
        old.faulty_witnesses,
        threshold or old.custodian_threshold,
    )
    check_succession(old, new)
    out.write_bytes(encode_trust_roots(new))
    return {"trust": str(out), "sha256": trust_digest(new), "holders": holders_of(new)}


def write_ceremony_order(hub: OpenHub, trust: Path, *, parties: Sequence[Path], out: Path) -> Row:
    """Have people sign that others are to hold the shares; the order is a file until it is given.

    Raises:
        Refused: the trust roots change something else, or there is a file already.
    """
    if out.exists():
        raise Refused(f"There is a file {out.name} already.", hint="Name another with --out.")
    new = parse_trust_roots(read_file(trust))
    check_succession(hub.roots, new)
    order = CeremonyOrder(
        name=new_object_id(),
        holders=holders_of(new),
        threshold=new.custodian_threshold,
        trust_sha256=trust_digest(new),
        previous_sha256=trust_digest(hub.roots),
        decided_at=hub.clock.now(),
        log_size=len(hub.log.entries()),
    )
    signers = [open_token(each) for each in parties]
    envelope = sign_ceremony(order, origin=hub.roots.origin, signers=signers)
    out.write_bytes(envelope)
    return {"order": str(out), **_shown(order)}


def attend(order: Path, party: Path) -> Row:
    """As a custodian's operator: look at an order, and let the custodian take part.

    Raises:
        Refused, NotGenuine, InvalidInput: the order does not hold by its own trust roots.
    """
    token, envelope = open_token(party), read_file(order)
    signed = open_ceremony(envelope, roots=token.trust_roots())
    _write_owned(party, attendance_of(signed), envelope, mode=0o600)
    signers = [f"{each.name} ({each.role.value})" for each in signed.opened.signers]
    return {"custodian": token.name, "signed_by": signers, **_shown(signed.order)}


def adopt(order: Path, trust: Path, party: Path) -> Row:
    """As a party: take over the trust roots that an order names, if they follow on its own.

    A party without any takes them as it got them, from elsewhere than the hub.

    Raises:
        Refused, NotGenuine, InvalidInput: they do not.
    """
    document, path = read_file(trust), party / "trust.json"
    new = parse_trust_roots(document)
    if path.exists():
        own = parse_trust_roots(path.read_bytes())
        if own != new:
            check_adoption(own, new, read_file(order))
    elif open_token(party).party not in new.parties:
        raise Refused("These trust roots do not name this party with this key.")
    _write_owned(party, ("trust.json",), document, mode=0o644)
    return {"party": open_token(party).name, "trust_sha256": trust_digest(new)}


def check_adoption(own: TrustRoots, new: TrustRoots, order: bytes) -> None:
    """Make sure that new trust roots follow on a party's own by a signed order.

    Raises:
        Refused, NotGenuine, InvalidInput: they do not.
    """
    signed = open_ceremony(order, roots=own).order
    if (signed.previous_sha256, signed.trust_sha256) != (trust_digest(own), trust_digest(new)):
        raise Refused("The order is about other trust roots than these, or follows on others.")
    check_succession(own, new)


def reshare(
    hub: OpenHub,
    order: Path,
    trust: Path,
    *,
    progress: Callable[[int, int], None] = lambda _done, _all: None,
) -> ResharingReport:
    """Put an order on the log, take its trust roots over, and hold the ceremony.

    A command that was cut short is run again as it is.

    Raises:
        Refused, NotGenuine, Unavailable: as `Resharing.place` and `Resharing.carry_out`.
    """
    envelope, document = read_file(order), read_file(trust)
    if trust_digest(hub.roots) == trust_digest(parse_trust_roots(document)):
        # A command before this one got as far as that.
        index = resharing(hub).place(envelope, document)
        return resharing(hub).carry_out(index, progress=progress)
    index = resharing(hub).place(envelope, document)
    adopt(order, trust, hub.place.party)
    fresh = OpenHub(hub.place.folder)
    return resharing(fresh).carry_out(index, progress=progress)


def finish(hub: OpenHub) -> list[ResharingReport]:
    """Go on with every ceremony whose old shares are not known to be gone."""
    desk = resharing(hub)
    return [desk.carry_out(index) for index in desk.list_open()]


def report_row(report: ResharingReport) -> Row:
    """What a command shows of a ceremony."""
    return {
        "order": report.order,
        "reshared": report.reshared,
        "accepted": list(report.accepted),
        "old_shares_destroyed_by": list(report.retired),
        "old_shares": "open" if report.ended is None else "give nothing back",
        "missing": dict(report.missing),
    }


def _shown(order: CeremonyOrder) -> Row:
    return {
        "holders": list(order.holders),
        "threshold": order.threshold,
        "decided_at": order.decided_at,
        "log_size": order.log_size,
        "trust_sha256": order.trust_sha256,
    }


def _write_owned(party: Path, names: Sequence[str], content: bytes, *, mode: int) -> None:
    """Write a file into a party's directory, as its owner's own; after a crash it is whole or not there.

    names: of a folder of the party's, if any, and of the file.

    Root may be at it, and the party's account may have laid links out for root to
    follow: none is. So every name is looked up in a directory that is open.

    Raises:
        Refused: something else stands there than a folder.
    """
    owner = party.stat()
    *folders, name = names
    at = os.open(party, os.O_RDONLY | os.O_DIRECTORY)
    try:
        for folder in folders:
            at = _enter(at, folder, owner=owner)
        draft = f".{name}.part"
        with suppress(FileNotFoundError):
            os.unlink(draft, dir_fd=at)
        descriptor = os.open(draft, os.O_WRONLY | os.O_CREAT | os.O_EXCL, mode, dir_fd=at)
        with os.fdopen(descriptor, "wb") as file:
            _give(descriptor, owner)
            file.write(content)
            file.flush()
            os.fsync(file.fileno())
        os.rename(draft, name, src_dir_fd=at, dst_dir_fd=at)
        os.fsync(at)
    except OSError as fault:
        raise Refused(
            f"Nothing can be written into the directory of {party.name}:"
            f" {os.strerror(fault.errno or 0)}.",
            hint="Look what stands there; a link is not followed.",
        ) from None
    finally:
        os.close(at)


def _enter(at: int, folder: str, *, owner: os.stat_result) -> int:
    """Go from an open directory into one of its folders, made if there is none."""
    with suppress(FileExistsError):
        os.mkdir(folder, 0o700, dir_fd=at)
    inner = os.open(folder, os.O_RDONLY | os.O_DIRECTORY | os.O_NOFOLLOW, dir_fd=at)
    _give(inner, owner)
    os.fsync(at)
    os.close(at)
    return inner


def _give(descriptor: int, owner: os.stat_result) -> None:
    """What root writes into a party's directory is the party's: its service reads it."""
    if os.geteuid() == 0:
        os.fchown(descriptor, owner.st_uid, owner.st_gid)
