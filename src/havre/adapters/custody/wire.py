"""How a custodian and a hub spell what they say to each other: one spelling for both sides."""

from __future__ import annotations

from havre.domain.clocks import ClockWentBack
from havre.domain.custody import ReleaseRefused, ShareRequest
from havre.domain.erasure import WrongSigner
from havre.domain.erasure_check import ErasureRefused, ErasureRequest
from havre.domain.permit import OutsidePermit
from havre.domain.permit_signing import AnotherGround, SignedByApplicant
from havre.domain.permit_states import NotInForce
from havre.domain.resharing import CeremonyRefused, CeremonyRequest
from havre.domain.statements import MissingSignature, WrongContext
from havre.domain.transparency import NotFresh, NotWitnessed
from havre.domain.upkeep import UpkeepUsed
from havre.errors import HavreError, InvalidInput
from havre.formats.canonical import encode_canonical
from havre.formats.wire import Message, to_base64
from havre.ports.custody import ShareAnswer

# What a custodian refuses with, below the kinds of `havre.errors`.
CARRIED: tuple[type[HavreError], ...] = (
    AnotherGround,
    CeremonyRefused,
    ClockWentBack,
    ErasureRefused,
    MissingSignature,
    NotFresh,
    NotInForce,
    NotWitnessed,
    OutsidePermit,
    ReleaseRefused,
    SignedByApplicant,
    UpkeepUsed,
    WrongContext,
    WrongSigner,
)


def encode_request(request: ShareRequest) -> bytes:
    """Write what a hub asks for."""
    return encode_canonical(
        {
            "documents": {name: to_base64(each) for name, each in request.documents.items()},
            "index": request.index,
            "one_time_key": to_base64(request.one_time_key),
            "salts": {str(index): to_base64(salt) for index, salt in request.salts.items()},
        }
    )


def parse_request(body: bytes) -> ShareRequest:
    """Read it strictly.

    Raises:
        InvalidInput: it is no request.
    """
    message = Message(body, "documents", "index", "one_time_key", "salts")
    return ShareRequest(
        message.number("index"),
        message.binary("one_time_key"),
        message.named_binaries("documents"),
        {_index(name): salt for name, salt in message.named_binaries("salts").items()},
    )


def encode_ceremony(request: CeremonyRequest) -> bytes:
    """Write what a hub asks of a custodian when shares were replaced."""
    return encode_canonical(
        {
            "acceptances": {name: to_base64(each) for name, each in request.acceptances.items()},
            "index": request.index,
            "order": to_base64(request.order),
            "trust": to_base64(request.trust),
        }
    )


def parse_ceremony(body: bytes) -> CeremonyRequest:
    """Read it strictly.

    Raises:
        InvalidInput: it is no such request.
    """
    message = Message(body, "acceptances", "index", "order", "trust")
    return CeremonyRequest(
        message.number("index"),
        message.binary("order"),
        message.binary("trust"),
        message.named_binaries("acceptances"),
    )


def encode_answer(answer: ShareAnswer) -> bytes:
    """Write what a custodian gives."""
    return encode_canonical(
        {
            "receipt": to_base64(answer.receipt),
            "shares": {name: to_base64(sealed) for name, sealed in answer.shares.items()},
        }
    )


def parse_answer(body: bytes) -> ShareAnswer:
    """Read it strictly.

    Raises:
        InvalidInput: it is no answer.
    """
    message = Message(body, "receipt", "shares")
    return ShareAnswer(message.named_binaries("shares"), message.binary("receipt"))


def encode_erasure(request: ErasureRequest) -> bytes:
    """Write what a hub asks to have destroyed."""
    return encode_canonical(
        {
            "documents": {name: to_base64(each) for name, each in request.documents.items()},
            "index": request.index,
            "order": to_base64(request.order),
        }
    )


def parse_erasure(body: bytes) -> ErasureRequest:
    """Read it strictly.

    Raises:
        InvalidInput: it is no such request.
    """
    message = Message(body, "documents", "index", "order")
    return ErasureRequest(
        message.number("index"), message.binary("order"), message.named_binaries("documents")
    )


def _index(name: str) -> int:
    if not name.isdecimal() or str(int(name)) != name:
        raise InvalidInput("A salt of a message is of no entry.")
    return int(name)
