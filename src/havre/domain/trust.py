"""Who is believed, for what: the trust roots that each party brings itself.

A trust-root file is public, but a party must have it from elsewhere than the
hub: whoever supplies the roots decides what is genuine. Roles are resolved
here by public key bytes, never by a name that a message carries.
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum

from havre.crypto.signatures import key_id
from havre.errors import InvalidInput, NotGenuine
from havre.formats.canonical import Json, encode_canonical, parse_canonical
from havre.values import parse_name

# How founding writes down that an operator is no other house, only another directory.
THIS_MACHINE = "(this machine)"


class Role(StrEnum):
    """What a key may sign. One party has one role."""

    AUTHORITY = "authority"
    CHECKER = "checker"
    CONTROLLER = "controller"
    CUSTODIAN = "custodian"
    ESCROW = "escrow"
    # Its key is still known, for what it signed and for the shares it had; it gets no more.
    FORMER = "former-custodian"
    HOLDER = "holder"
    HUB = "hub"
    RESEARCHER = "researcher"
    WITNESS = "witness"


@dataclass(frozen=True, slots=True)
class Party:
    """One signer that is known by its key.

    name: short name, unique in a file.
    operator: who runs it; two parties of one operator count as one witness.
    key: Ed25519 public key, 32 bytes; unique in a file.
    """

    name: str
    role: Role
    operator: str
    key: bytes

    @property
    def key_id(self) -> str:
        """The SHA-256 of the key, which names the party on the log."""
        return key_id(self.key)


@dataclass(frozen=True, slots=True)
class TrustRoots:
    """What one party believes about everybody else.

    origin: the log's name, for its whole life, also across hosts.
    parties: everybody who may sign something, in order of name.
    faulty_witnesses: f; the log needs at least 3f + 1 witnesses and w - f cosignatures.
    custodian_threshold: k daily custodians that open a partition together.
    """

    origin: str
    parties: tuple[Party, ...]
    faulty_witnesses: int
    custodian_threshold: int

    def with_role(self, role: Role) -> tuple[Party, ...]:
        """List the parties of one role, in order of name."""
        return tuple(party for party in self.parties if party.role is role)

    def party_of(self, key: bytes) -> Party:
        """Find who signs with `key`.

        Raises:
            NotGenuine: nobody in these roots does.
        """
        for party in self.parties:
            if party.key == key:
                return party
        raise NotGenuine(
            "A signature is by a key that is not in the trust roots.",
            hint="Compare the key with the party's own record before you add it.",
        )

    @property
    def on_one_machine(self) -> bool:
        """Whether every operator says that it stands on one machine: then nothing is separated."""
        return all(party.operator.endswith(THIS_MACHINE) for party in self.parties)

    @property
    def quorum(self) -> int:
        """How many witnesses must cosign: q = w - f (`docs/protocols.md`, section 1)."""
        return len(self.with_role(Role.WITNESS)) - self.faulty_witnesses


def check_trust_roots(roots: TrustRoots) -> None:
    """Refuse roots under which a promise could not hold.

    Raises:
        InvalidInput: a name or key stands twice, a role is missing, or the
            witnesses are too few for the number that may lie.
    """
    names = [party.name for party in roots.parties]
    keys = [party.key for party in roots.parties]
    if len(set(names)) != len(names) or len(set(keys)) != len(keys):
        raise InvalidInput("Two parties of the trust roots share a name or a key.")
    operators = {party.operator for party in roots.with_role(Role.WITNESS)}
    if roots.faulty_witnesses < 1 or len(operators) < 3 * roots.faulty_witnesses + 1:
        raise InvalidInput(
            "There are fewer than 3f + 1 witnesses of different operators.",
            hint="Four witnesses bear one liar; a witness run by the same operator counts once.",
        )
    if len(operators) != len(roots.with_role(Role.WITNESS)):
        raise InvalidInput("Two witnesses have one operator: they count as one, list one.")
    if not 2 <= roots.custodian_threshold <= len(roots.with_role(Role.CUSTODIAN)):
        raise InvalidInput("The custodians' threshold must be at least 2 and at most their number.")
    for role in (Role.HUB, Role.CONTROLLER):
        if len(roots.with_role(role)) != 1:
            raise InvalidInput(f"The trust roots must name exactly one {role}.")


def encode_trust_roots(roots: TrustRoots) -> bytes:
    """Write trust roots as the canonical JSON of a trust-root file.

    Raises:
        InvalidInput: the roots break a rule of `check_trust_roots`.
    """
    check_trust_roots(roots)
    parties: list[Json] = [
        {
            "key": party.key.hex(),
            "name": party.name,
            "operator": party.operator,
            "role": party.role.value,
        }
        for party in sorted(roots.parties, key=lambda party: party.name)
    ]
    return encode_canonical(
        {
            "custodian_threshold": roots.custodian_threshold,
            "faulty_witnesses": roots.faulty_witnesses,
            "format": "havre/v1/trust",
            "origin": roots.origin,
            "parties": parties,
        }
    )


def parse_trust_roots(document: bytes) -> TrustRoots:
    """Read a trust-root file strictly.

    Raises:
        InvalidInput: not canonical, an unknown field or role, or a broken rule.
    """
    try:
        body = parse_canonical(document)
        if not isinstance(body, dict) or body.pop("format") != "havre/v1/trust":
            raise TypeError
        roots = TrustRoots(
            origin=str(body["origin"]),
            parties=tuple(_read_party(party) for party in _as_list(body["parties"])),
            faulty_witnesses=int(str(body["faulty_witnesses"])),
            custodian_threshold=int(str(body["custodian_threshold"])),
        )
    except (KeyError, TypeError, ValueError):
        raise InvalidInput("A trust-root file is not of the form havre/v1/trust.") from None
    if encode_trust_roots(roots) != document:
        raise InvalidInput("A trust-root file has a field or an order that it should not have.")
    return roots


def _as_list(value: Json) -> list[Json]:
    if not isinstance(value, list):
        raise TypeError
    return value


def _read_party(value: Json) -> Party:
    if not isinstance(value, dict):
        raise TypeError
    key = bytes.fromhex(str(value["key"]))
    if len(key) != 32:
        raise ValueError
    return Party(
        parse_name(str(value["name"])), Role(str(value["role"])), str(value["operator"]), key
    )
