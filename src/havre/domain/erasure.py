"""Orders to destroy keys: on which ground, over which partitions, signed by whom.

What must be destroyed because its time is over, the hub may order itself:
custodians see on their own copy of the log, and from their own shares, whether
it is over. What people decide to destroy before, they sign: the controller for a
project or a delivery; the controller and an authority together for data of the
lake or a secret, which nothing gives back.

An order is made about the shares of one day. After new shares were made it is
worth nothing, so one that nobody carried out cannot be kept for later.

Source: `docs/protocols.md`, section 2.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from types import MappingProxyType

from havre.domain.permit import project_secret
from havre.domain.statements import (
    MissingSignature,
    Opened,
    Signer,
    Statement,
    open_statement,
    sign_statement,
)
from havre.domain.trust import Role, TrustRoots
from havre.domain.upkeep import ASIDE_SUFFIX, STAGE_2_SECRET
from havre.errors import InvalidInput, NotGenuine, Refused
from havre.formats.canonical import Json
from havre.values import (
    Partition,
    PartitionKind,
    instant_text,
    parse_instant,
    parse_name,
    parse_object_id,
)

PREDICATE_ORDER = "havre/v1/erasure-order"
# How many partitions one order names: its entry must fit on the log.
MOST_PARTITIONS = 1000
_FIELDS = ["decided_at", "ground", "log_size", "partitions", "permit"]


class Ground(StrEnum):
    """Why keys are destroyed."""

    PERMIT_OVER = "permit-over"
    TAKEN_IN = "taken-in"
    SUPERSEDED = "superseded"
    DECIDED = "decided"


class WrongSigner(MissingSignature):
    """An order is signed by somebody who may not give it."""


@dataclass(frozen=True, slots=True, kw_only=True)
class ErasureOrder:
    """What is ordered.

    name: 32 hexadecimal characters, random: of the order itself.
    permit: whose project it is, when a permit's end is the ground; else empty.
    partitions: opaque ids, in order, none twice.
    log_size: entries of the log that whoever ordered had before him.
    """

    name: str
    ground: Ground
    permit: str
    partitions: tuple[str, ...]
    decided_at: datetime
    log_size: int


@dataclass(frozen=True, slots=True)
class SignedOrder:
    """An order, and those who signed it."""

    order: ErasureOrder
    opened: Opened

    @property
    def roles(self) -> frozenset[Role]:
        """The roles of those who signed."""
        return frozenset(signer.role for signer in self.opened.signers)


def sign_order(order: ErasureOrder, *, origin: str, signers: Sequence[Signer]) -> bytes:
    """Write an order and sign it; returns the envelope's bytes."""
    _check_spelling(order)
    predicate: dict[str, Json] = {
        "decided_at": instant_text(order.decided_at),
        "ground": order.ground.value,
        "log_size": order.log_size,
        "partitions": [*order.partitions],
        "permit": order.permit,
    }
    return sign_statement(Statement(PREDICATE_ORDER, origin, order.name, predicate), signers)


def open_order(envelope: bytes, *, roots: TrustRoots) -> SignedOrder:
    """Make sure that an order is signed by parties of these roots, and read it.

    Whether they may give it depends on what the partitions are: `check_signers`.

    Raises:
        NotGenuine: a signature does not hold, or it is another kind of statement or
            another log's.
        InvalidInput: it is no order of ours.
    """
    opened = open_statement(
        envelope, roots=roots, predicate_type=PREDICATE_ORDER, origin=roots.origin, required={}
    )
    said = opened.statement.predicate
    if sorted(said) != _FIELDS:
        raise InvalidInput("An order to erase has other fields than it should.")
    partitions, size = said["partitions"], said["log_size"]
    if not isinstance(partitions, list) or type(size) is not int or size < 0:
        raise InvalidInput("An order to erase does not say what, or when it was given.")
    try:
        order = ErasureOrder(
            name=parse_object_id(opened.statement.subject),
            ground=Ground(str(said["ground"])),
            permit=str(said["permit"]),
            partitions=tuple(parse_object_id(str(each)) for each in partitions),
            decided_at=parse_instant(str(said["decided_at"])),
            log_size=size,
        )
    except ValueError:
        raise InvalidInput("An order to erase names a ground that does not exist.") from None
    _check_spelling(order)
    return SignedOrder(order, opened)


def _check_spelling(order: ErasureOrder) -> None:
    if not 1 <= len(order.partitions) <= MOST_PARTITIONS:
        raise InvalidInput(f"An order to erase names 1 to {MOST_PARTITIONS} partitions.")
    if list(order.partitions) != sorted(set(order.partitions)):
        raise InvalidInput("An order to erase names its partitions in order, each once.")
    if (order.ground is Ground.PERMIT_OVER) != bool(order.permit):
        raise InvalidInput("An order to erase names a permit when that has ended, and only then.")
    if order.permit:
        parse_name(order.permit)


# What may be erased on which ground, by the kind of partition.
_KINDS: Mapping[Ground, frozenset[PartitionKind]] = MappingProxyType(
    {
        Ground.PERMIT_OVER: frozenset({PartitionKind.PROJECT, PartitionKind.SECRET}),
        Ground.TAKEN_IN: frozenset({PartitionKind.LANDING}),
        Ground.SUPERSEDED: frozenset({PartitionKind.DATASET}),
        Ground.DECIDED: frozenset(PartitionKind),
    }
)


def check_signers(signed: SignedOrder, partitions: Sequence[Partition]) -> None:
    """Make sure that whoever signed an order may give it over these partitions.

    partitions: what each of them is, by the reader's own knowledge.

    Raises:
        WrongSigner: naming who must sign.
        Refused: a partition is of a kind that the ground does not reach.
    """
    ground = signed.order.ground
    if any(each.kind not in _KINDS[ground] for each in partitions):
        raise Refused(f"The ground {ground.value} does not reach every partition of the order.")
    _check_own(signed.order, partitions)
    allowed = {Role.CONTROLLER} if ground is Ground.DECIDED else {Role.CONTROLLER, Role.HUB}
    if ground is Ground.DECIDED and any(map(is_irreplaceable, partitions)):
        if not {Role.CONTROLLER, Role.AUTHORITY} <= signed.roles:
            raise WrongSigner(
                "Data of the lake or a secret are erased by the controller and an authority"
                " together.",
                hint="Nothing gives them back: have both sign the order.",
            )
    elif not allowed & signed.roles:
        names = " or ".join(sorted(role.value for role in allowed))
        raise WrongSigner(f"This order to erase is not signed by the {names}.")


def is_irreplaceable(partition: Partition) -> bool:
    """Tell whether a partition holds what no delivery and no permit gives back.

    >>> is_irreplaceable(Partition(PartitionKind.SECRET, "stage-2"))
    True
    >>> is_irreplaceable(Partition(PartitionKind.PROJECT, "diabetes"))
    False
    """
    if partition.kind is PartitionKind.SECRET:
        return partition.name == STAGE_2_SECRET
    return partition.kind is PartitionKind.DATASET


def _check_own(order: ErasureOrder, partitions: Sequence[Partition]) -> None:
    """A permit's end reaches the permit's own partitions, a set-aside generation no other rows."""
    # By kind and name: a permit may be called `stage-2`, or as another one's secret is.
    own = (
        (PartitionKind.PROJECT, order.permit),
        (PartitionKind.SECRET, project_secret(order.permit)),
    )
    for partition in partitions:
        if order.ground is Ground.PERMIT_OVER and (partition.kind, partition.name) not in own:
            raise NotGenuine(f"An order about permit {order.permit} names another's partition.")
        if order.ground is Ground.SUPERSEDED and not partition.name.endswith(ASIDE_SUFFIX):
            raise Refused("Only generations of rows that were set aside are superseded.")
