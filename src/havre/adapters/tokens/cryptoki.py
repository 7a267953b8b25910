"""Speaking to one hardware token through PKCS#11, one short session an act.

A session lasts for one act and ends with a logout, so that a token that is pulled
out stops the next act, and one that is put back serves it, in the same process.
Acts on one module wait for each other: a module that has lost a token often has
to be started anew, and that ends every session it has.

Every fault of the library becomes one of our refusals here. The library's own
words are left out: nobody knows what a vendor puts into them.

Source: PKCS #11 Cryptographic Token Interface, version 2.40.
"""

from __future__ import annotations

import hashlib
import threading
from collections import defaultdict
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from typing import Any

import pkcs11
from pkcs11 import Attribute, ObjectClass, PKCS11Error, TokenFlag
from pkcs11 import exceptions as faults

from havre.errors import NotFound, Refused, Unavailable
from havre.formats.token_uri import TokenPlace


class WrongPin(Refused):
    """A token does not open under this PIN; each wrong one costs a try."""


class TokenLocked(Refused):
    """A token takes no PIN any more, until its security officer unlocks it."""


class WrongToken(Refused):
    """The token that is there does not hold this party's keys."""


class TokenAway(Unavailable):
    """A token is not in its reader, or was pulled out in the middle of an act."""


_PIN_FAULTS = (faults.PinIncorrect, faults.PinInvalid, faults.PinLenRange)
_LOCKS: defaultdict[str, threading.RLock] = defaultdict(threading.RLock)
# PINs that a token refused in this process, hashed with its serial number: a
# command that asks its token twice must not use up two tries.
_REFUSED: set[bytes] = set()


class Cryptoki:
    """One token, and the PIN that opens it.

    pin: asked at every session, so that nothing here keeps it.
    """

    def __init__(self, place: TokenPlace, *, pin: Callable[[], str]) -> None:
        self._place = place
        self._pin = pin

    @contextmanager
    def session(self, *, holding: tuple[str, bytes] | None) -> Iterator[TokenSession]:
        """Log in for one act.

        holding: label and id of a key without which this is not the party's token;
            null while the party is made.

        Raises:
            TokenAway: it is not there, or is gone at the end.
            WrongPin, TokenLocked, WrongToken: it does not serve this party.
            NotFound: the module is not installed.
            Unavailable: it fails in another way.
        """
        with _LOCKS[self._place.module]:
            opened = self._log_in(self._find_anew())
            try:
                yield TokenSession(opened, self._check_there, holding=holding)
            except PKCS11Error as fault:
                self._check_there()
                raise Unavailable(
                    f"The token {self._place.label} fails: {type(fault).__name__}."
                ) from None
            finally:
                with suppress(PKCS11Error):
                    opened.close()

    def mechanisms(self) -> set[Any]:
        """List what the token can do."""
        with _LOCKS[self._place.module]:
            return set(self._find_anew().slot.get_mechanisms())

    def _away(self) -> TokenAway:
        """Say that the token is not there."""
        return TokenAway(
            f"The token {self._place.label} is not there, or does not answer.",
            hint="Put it back and run the command again: nothing was half done.",
        )

    def _check_there(self) -> None:
        """Make sure, after something went wrong, that the token has not been pulled out."""
        try:
            self._find(self._module())
        except PKCS11Error:
            raise self._away() from None

    def _find_anew(self) -> Any:
        """Find the token; a module that has lost one before is started anew first."""
        module = self._module()
        try:
            return self._find(module)
        except PKCS11Error:
            try:
                module.reinitialize()
                return self._find(module)
            except PKCS11Error:
                raise self._away() from None

    def _find(self, module: Any) -> Any:
        asked: dict[str, Any] = {"token_label": self._place.label}
        if self._place.serial:
            asked["token_serial"] = self._place.serial.encode()
        found = list(module.get_tokens(**asked))
        if len(found) > 1:
            raise Refused(
                f"{len(found)} tokens are named {self._place.label}.",
                hint="Add ;serial=… to the token's address.",
            )
        if not found:
            raise faults.NoSuchToken
        return found[0]

    def _module(self) -> Any:
        try:
            return pkcs11.lib(self._place.module)
        except PKCS11Error as fault:
            if type(fault) is not PKCS11Error:
                raise self._away() from None
            # The library's word for a file that is missing or is no module.
            name = self._place.module.rpartition("/")[2]
            raise NotFound(
                f"The PKCS#11 module {name} cannot be loaded.",
                hint="Install it, or correct module-path in the token's address.",
            ) from None

    def _log_in(self, token: Any) -> Any:
        pin = self._pin()
        tried = hashlib.sha256(b"\n".join((token.serial, pin.encode()))).digest()
        if tried in _REFUSED:
            raise self._wrong_pin(token.flags)
        try:
            return token.open(rw=True, user_pin=pin)
        except PKCS11Error as fault:
            # The library leaves the session open, and a module with an open session
            # does not log out.
            flags = self._flags_after(token)
            with suppress(PKCS11Error):
                self._module().reinitialize()
            if isinstance(fault, _PIN_FAULTS):
                _REFUSED.add(tried)
                raise self._wrong_pin(flags) from None
            raise refusal_of(fault, label=self._place.label) or self._away() from None

    def _flags_after(self, token: Any) -> TokenFlag:
        """Read the token's flags anew: how many tries are left stands in them."""
        try:
            return TokenFlag(self._find(self._module()).flags)
        except PKCS11Error:
            return TokenFlag(token.flags)

    def _wrong_pin(self, flags: TokenFlag) -> Refused:
        if flags & TokenFlag.USER_PIN_LOCKED:
            return TokenLocked(
                f"The token {self._place.label} is locked: too many wrong PINs.",
                hint="Its security officer can unlock it.",
            )
        return WrongPin(f"The token {self._place.label} refuses this PIN.{tries_left(flags)}")


def tries_left(flags: TokenFlag) -> str:
    """Say what a token tells of the tries that are left; PKCS#11 gives no number but one.

    >>> tries_left(TokenFlag.USER_PIN_FINAL_TRY)
    ' One try is left before it locks.'
    """
    if flags & TokenFlag.USER_PIN_FINAL_TRY:
        return " One try is left before it locks."
    if flags & TokenFlag.USER_PIN_COUNT_LOW:
        return " It counts wrong PINs and may lock."
    return ""


def refusal_of(fault: PKCS11Error, *, label: str) -> Refused | None:
    """Name why a token lets nobody in, or null when it is not there to say so."""
    if isinstance(fault, faults.PinLocked):
        return TokenLocked(
            f"The token {label} is locked: too many wrong PINs.",
            hint="Its security officer can unlock it.",
        )
    if isinstance(fault, faults.PinExpired):
        return Refused(f"The PIN of the token {label} has expired.", hint="Set a new one.")
    if isinstance(fault, faults.UserPinNotInitialized):
        return Refused(f"The token {label} has no PIN yet.", hint="Initialise it first.")
    if isinstance(fault, faults.TokenWriteProtected):
        return Refused(f"The token {label} is write-protected.")
    return None


class TokenSession:
    """One act: what finds this party's keys; the keys themselves do the rest.

    raw: the library's session.
    check_there: raises `TokenAway` unless the token is still there.
    """

    def __init__(
        self, raw: Any, check_there: Callable[[], None], *, holding: tuple[str, bytes] | None
    ) -> None:
        self.raw = raw
        self.check_there = check_there
        self._holding = holding
        if holding is not None:
            self.must_find(*holding)

    def find(self, label: str, key_id: bytes, *, kind: ObjectClass | None = None) -> Any | None:
        """Find a key of this party, or null when the token surely has none.

        A token that was pulled out holds nothing, and a module may say just that: no
        absence is believed unless a key that must be there is seen after it.
        """
        found = self._look(label, key_id, kind)
        if found is None and self._holding is not None:
            self.must_find(*self._holding)
        return found

    def must_find(self, label: str, key_id: bytes) -> Any:
        """Find a key without which this is not the party's token.

        Raises:
            TokenAway: the token was pulled out.
            WrongToken: it is there and does not have the key.
        """
        found = self._look(label, key_id, None)
        if found is None:
            self.check_there()
            raise WrongToken(
                "The token that is there does not hold this party's keys.",
                hint="Another token has this label, or it was emptied.",
            )
        return found

    def _look(self, label: str, key_id: bytes, kind: ObjectClass | None) -> Any | None:
        asked: dict[Attribute, Any] = {Attribute.LABEL: label, Attribute.ID: key_id}
        if kind is not None:
            asked[Attribute.CLASS] = kind
        # Read to the end: a search that is left open blocks the session.
        found = list(self.raw.get_objects(asked))
        return found[0] if found else None
