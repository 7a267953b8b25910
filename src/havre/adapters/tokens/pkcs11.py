"""A party's keys under a hardware token: a stolen disk opens nothing.

The token holds an AES-256 key that cannot be read out, and wraps with it (AES-GCM)
the seed of the party's hybrid seal key, which no token of today can hold itself.
The Ed25519 signing key is made inside the token where that can be, and never leaves
it; elsewhere it is wrapped too. Each epoch of a custodian's store has an AES key of
its own in the token, and destroying that key is how shares are erased.

What is unwrapped is in this process's memory for one act. Against whoever controls
the running process a token does nothing.

Source: `docs/protocols.md`, section 2; `docs/tokens.md`.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from enum import StrEnum
from functools import cached_property
from pathlib import Path
from typing import Any

from pkcs11 import (
    Attribute,
    GCMParams,
    KeyType,
    Mechanism,
    ObjectClass,
    PKCS11Error,
)
from pkcs11.util.ec import encode_named_curve_parameters

from havre.adapters.tokens.cryptoki import Cryptoki, TokenSession
from havre.adapters.tokens.paper import OnPaper
from havre.adapters.tokens.party import (
    KEY_FILE,
    EpochKeyAt,
    PartyConfig,
    PartyFolder,
    begin_party,
    read_part,
    remove_private,
    write_config,
    write_private,
)
from havre.crypto.random import random_bytes
from havre.crypto.sealing import PartitionKey
from havre.crypto.signatures import SigningKey, check_signature
from havre.domain.trust import Party, Role
from havre.errors import NotGenuine, Refused
from havre.formats.token_keys import (
    NONCE_BYTES,
    TokenKeys,
    encode_token_keys,
    join_wrapped,
    parse_token_keys,
    split_wrapped,
    wrapped_context,
)
from havre.formats.token_uri import TokenPlace
from havre.values import parse_name

_TAG_BITS, _ID_BYTES = 128, 16
_ED25519 = encode_named_curve_parameters("1.3.101.112")
_EDDSA = {Mechanism.EDDSA, Mechanism.EC_EDWARDS_KEY_PAIR_GEN}
# What a token may never give out, whoever asks.
_KEPT_INSIDE = {
    Attribute.PRIVATE: True,
    Attribute.SENSITIVE: True,
    Attribute.EXTRACTABLE: False,
}
_WRAPS_ONLY = {
    **_KEPT_INSIDE,
    Attribute.ENCRYPT: True,
    Attribute.DECRYPT: True,
    Attribute.WRAP: False,
    Attribute.UNWRAP: False,
    Attribute.SIGN: False,
    Attribute.VERIFY: False,
    Attribute.DERIVE: False,
}
_SIGNS_ONLY = {**_KEPT_INSIDE, Attribute.SIGN: True, Attribute.DERIVE: False}


class SigningKeyAt(StrEnum):
    """Where the signing key is: in the token, or wrapped by it."""

    TOKEN = "token"
    DISK = "disk"


class Pkcs11Token(PartyFolder):
    """A party's directory whose keys need its token.

    pin: asked whenever the token is opened.
    """

    def __init__(self, folder: Path, *, pin: Callable[[], str]) -> None:
        super().__init__(folder)
        if self.config.token is None:
            raise ValueError("this party has no hardware token")
        self._cryptoki = Cryptoki(self.config.token, pin=pin)
        self._key_id = bytes.fromhex(self.config.keys)

    @property
    def public(self) -> bytes:
        """The Ed25519 public key, 32 bytes."""
        return self._keys.sign_public

    @property
    def seal_public(self) -> bytes:
        """The HPKE public key that others seal to."""
        return self._keys.seal_public

    @property
    def party(self) -> Party:
        """The party as trust roots name it."""
        return Party(self.name, self.config.role, self.config.operator, self.public)

    def sign(self, message: bytes) -> bytes:
        """Sign a message, in the token where it holds the key."""
        keys = self._keys
        with self._session() as session:
            if keys.sign is None:
                private = self._signing_key(session, ObjectClass.PRIVATE_KEY)
                signature: bytes = private.sign(message, mechanism=Mechanism.EDDSA)
            else:
                seed = self._unwrap(session, keys.sign, use="sign")
                signature = SigningKey.from_seed(seed).sign(message)
        # A token with another idea of Ed25519 must not get its signatures onto the log.
        check_signature(signature, message, public=keys.sign_public)
        return signature

    def open_key(self, sealed: bytes, *, info: bytes) -> bytes:
        """Open what was sealed to this party under the same `info`."""
        keys = self._keys
        with self._session() as session:
            seed = self._unwrap(session, keys.seal, use="seal")
        return PartitionKey.from_seed(seed).open_key(sealed, info=info)

    def create_secret(self, name: str) -> None:
        """Draw a secret of 32 bytes that this party alone keeps, such as a holder's stage 1.

        Raises:
            Refused: there is one of this name.
        """
        path = self._secret_path(name)
        if path.exists():
            raise Refused(f"{self.name} has a secret {name} already.")
        with self._session() as session:
            wrapped = self._wrap(session, random_bytes(32), use=f"secret {name}")
        write_private(path, wrapped)

    def secret(self, name: str) -> bytes:
        """Open a secret that `create_secret` drew.

        Raises:
            NotFound: there is none of this name.
        """
        wrapped = read_part(self._secret_path(name), "secret")
        with self._session() as session:
            return self._unwrap(session, wrapped, use=f"secret {name}")

    def lock_epoch(self, number: int, seed: bytes) -> bytes:
        """Make an epoch's key in the token, and lock the epoch's seed under it."""
        use = _epoch_use(number)
        with self._session() as session:
            if session.find(self._label(use), self._key_id) is not None:
                raise Refused(
                    f"The token of {self.name} has a key of epoch {number} already.",
                    hint="Is the store's disk mounted? A key of living shares is never replaced.",
                )
            key = _make_wrapping_key(session, label=self._label(use), key_id=self._key_id)
            return _wrapped(key, seed, context=self._context(use))

    def open_epoch(self, number: int, locked: bytes) -> bytes:
        """Open an epoch's seed."""
        use = _epoch_use(number)
        with self._session() as session:
            key = session.find(self._label(use), self._key_id)
            if key is None:
                raise Refused(f"{self.name} has destroyed the key of epoch {number}.")
            return _unwrapped(session, key, locked, context=self._context(use))

    def destroy_epoch(self, number: int) -> None:
        """Destroy an epoch's key in the token."""
        label = self._label(_epoch_use(number))
        with self._session() as session:
            key = session.find(label, self._key_id)
            if key is None:
                return
            key.destroy()
            if session.find(label, self._key_id) is not None:
                raise Refused(f"The token of {self.name} keeps a key that it was to destroy.")

    @cached_property
    def _keys(self) -> TokenKeys:
        """The key file, held against the token once a process.

        Whoever can write to the disk could put a public key of his own there, and
        have this party's ceremonies sealed to it.
        """
        keys = parse_token_keys(read_part(self.folder / self.config.key_file, "key file"))
        with self._session() as session:
            seed = self._unwrap(session, keys.seal, use="seal")
            if keys.sign is None:
                public = _point_of(self._signing_key(session, ObjectClass.PUBLIC_KEY))
            else:
                signing = self._unwrap(session, keys.sign, use="sign")
                public = SigningKey.from_seed(signing).public
        if (PartitionKey.from_seed(seed).public, public) != (keys.seal_public, keys.sign_public):
            raise NotGenuine(
                f"The key file of {self.name} names other public keys than its token holds.",
                hint="Somebody has changed it: put it back from a backup.",
            )
        return keys

    @contextmanager
    def _session(self) -> Iterator[TokenSession]:
        with self._cryptoki.session(holding=(self._label("wrap"), self._key_id)) as session:
            yield session

    def _signing_key(self, session: TokenSession, kind: ObjectClass) -> Any:
        key = session.find(self._label("sign"), self._key_id, kind=kind)
        if key is None:
            raise NotGenuine(f"The token of {self.name} has lost its signing key.")
        return key

    def _wrap(self, session: TokenSession, secret: bytes, *, use: str) -> bytes:
        return _wrapped(self._wrapping_key(session), secret, context=self._context(use))

    def _unwrap(self, session: TokenSession, wrapped: bytes, *, use: str) -> bytes:
        key = self._wrapping_key(session)
        return _unwrapped(session, key, wrapped, context=self._context(use))

    def _wrapping_key(self, session: TokenSession) -> Any:
        return session.must_find(self._label("wrap"), self._key_id)

    def _context(self, use: str) -> bytes:
        return wrapped_context(party=self.name, use=use)

    def _label(self, use: str) -> str:
        return _label(self.name, use)

    def _secret_path(self, name: str) -> Path:
        return self.folder / f"{parse_name(name)}.secret.json"


class PaperPkcs11Token(OnPaper, Pkcs11Token):
    """The same, with epoch keys on paper."""


def create_token_party(
    folder: Path,
    *,
    name: str,
    role: Role,
    operator: str,
    place: TokenPlace,
    pin: Callable[[], str],
    signing_key_at: SigningKeyAt = SigningKeyAt.TOKEN,
    epoch_key_at: EpochKeyAt = EpochKeyAt.TOKEN,
) -> Pkcs11Token:
    """Make a party's directory whose keys need a token that is there and initialised.

    signing_key_at: on the disk, wrapped, also where the token cannot hold it.

    Raises:
        Refused: the directory holds a party already, or the token does not serve.
        Unavailable: the token is not there.
    """
    begin_party(folder, name=name, operator=operator)
    key_id = random_bytes(_ID_BYTES)
    cryptoki = Cryptoki(place, pin=pin)
    inside = signing_key_at is SigningKeyAt.TOKEN and cryptoki.mechanisms() >= _EDDSA
    made: list[Any] = []
    with cryptoki.session(holding=None) as session, _undone(folder, made):
        wrap = _make_wrapping_key(session, label=_label(name, "wrap"), key_id=key_id)
        made.append(wrap)
        seal = random_bytes(32)
        if inside:
            pair = _make_signing_pair(session, label=_label(name, "sign"), key_id=key_id)
            made.extend(pair)
            sign, sign_public = None, _point_of(pair[0])
        else:
            signing = SigningKey.generate()
            context = wrapped_context(party=name, use="sign")
            sign, sign_public = _wrapped(wrap, signing.seed, context=context), signing.public
        keys = TokenKeys(
            _wrapped(wrap, seal, context=wrapped_context(party=name, use="seal")),
            PartitionKey.from_seed(seal).public,
            sign,
            sign_public,
        )
        write_private(folder / KEY_FILE, encode_token_keys(keys))
        config = PartyConfig(
            name, role, operator, token=place, keys=key_id.hex(), epoch_key=epoch_key_at
        )
        write_config(folder, config)
    return Pkcs11Token(folder, pin=pin)


@contextmanager
def _undone(folder: Path, made: list[Any]) -> Iterator[None]:
    """Take back from the token and the disk what was made, when making a party fails."""
    try:
        yield
    except BaseException:
        remove_private(folder / KEY_FILE)
        for key in made:
            with suppress(PKCS11Error):
                key.destroy()
        raise


def _make_wrapping_key(session: TokenSession, *, label: str, key_id: bytes) -> Any:
    key = session.raw.generate_key(
        KeyType.AES, 256, label=label, id=key_id, store=True, template=_WRAPS_ONLY
    )
    return _kept_inside(key)


def _make_signing_pair(session: TokenSession, *, label: str, key_id: bytes) -> tuple[Any, Any]:
    curve = session.raw.create_domain_parameters(
        KeyType.EC_EDWARDS, {Attribute.EC_PARAMS: _ED25519}, local=True
    )
    public, private = curve.generate_keypair(
        mechanism=Mechanism.EC_EDWARDS_KEY_PAIR_GEN,
        label=label,
        id=key_id,
        store=True,
        private_template=_SIGNS_ONLY,
    )
    return public, _kept_inside(private)


def _kept_inside(key: Any) -> Any:
    """Make sure that the token has made the key as it was told to.

    Raises:
        Refused: the key can be read out, or could have been.
    """
    if not key[Attribute.SENSITIVE] or not key[Attribute.NEVER_EXTRACTABLE]:
        with suppress(PKCS11Error):
            key.destroy()
        raise Refused("The token makes keys that can be read out of it; it is none for this.")
    return key


def _point_of(public: Any) -> bytes:
    """Read an Ed25519 public key: an octet string of 32 bytes, or bare, as vendors differ."""
    point: bytes = public[Attribute.EC_POINT]
    return point[-32:]


def _wrapped(key: Any, secret: bytes, *, context: bytes) -> bytes:
    nonce = random_bytes(NONCE_BYTES)
    ciphertext: bytes = key.encrypt(
        secret,
        mechanism=Mechanism.AES_GCM,
        mechanism_param=GCMParams(nonce=nonce, aad=context, tag_bits=_TAG_BITS),
    )
    return join_wrapped(nonce, ciphertext)


def _unwrapped(session: TokenSession, key: Any, wrapped: bytes, *, context: bytes) -> bytes:
    nonce, ciphertext = split_wrapped(wrapped)
    try:
        secret: bytes = key.decrypt(
            ciphertext,
            mechanism=Mechanism.AES_GCM,
            mechanism_param=GCMParams(nonce=nonce, aad=context, tag_bits=_TAG_BITS),
        )
    except PKCS11Error:
        # A wrong tag and a token that is gone look alike to some modules.
        session.check_there()
        raise NotGenuine("What a token wrapped was altered, or was wrapped by another.") from None
    return secret


def _label(party: str, use: str) -> str:
    return f"havre {party} {use}"


def _epoch_use(number: int) -> str:
    return f"epoch {number}"
