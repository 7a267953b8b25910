"""A party's keys under SoftHSM keep the port's promises, and what a hardware token is for."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pkcs11
import pytest
from pkcs11 import Attribute, KeyType, Mechanism, ObjectClass

from contract.suite_tokens import *  # noqa: F403
from contract.suite_tokens import SECRET
from fakes.soft_hsm import MODULE, PIN, SoftHsm, soft_hsm
from havre.adapters.tokens.cryptoki import Cryptoki, TokenAway, TokenSession, WrongPin, WrongToken
from havre.adapters.tokens.pkcs11 import Pkcs11Token, SigningKeyAt, create_token_party
from havre.crypto.sealing import seal_key
from havre.domain.trust import Role
from havre.errors import NotFound, NotGenuine, Refused, Unavailable
from havre.formats.token_uri import TokenPlace

pytestmark = pytest.mark.integration


@dataclass
class TokenBench:
    """Parties with one token each."""

    root: Path
    hsm: SoftHsm
    signing_key_at: SigningKeyAt

    def make(self, name: str) -> Pkcs11Token:
        known = (self.root / name).exists()
        return create_token_party(
            self.root / name,
            name=name,
            role=Role.CUSTODIAN,
            operator="a house",
            place=TokenPlace(name, MODULE) if known else self.hsm.initialise(name),
            pin=lambda: PIN,
            signing_key_at=self.signing_key_at,
        )

    def again(self, name: str, pin: str = PIN) -> Pkcs11Token:
        return Pkcs11Token(self.root / name, pin=lambda: pin)


@pytest.fixture(params=SigningKeyAt)
def bench(tmp_path: Path, request: pytest.FixtureRequest) -> Iterator[TokenBench]:
    with soft_hsm(tmp_path / "hsm") as hsm:
        yield TokenBench(tmp_path, hsm, request.param)


def acts(bench: TokenBench) -> dict[str, Callable[[], Any]]:
    """Everything that a party asks of its token, from a process that has used it before."""
    token = bench.make("custodian-1")
    token.create_secret("stage-1")
    locked = token.lock_epoch(1, SECRET)
    sealed = seal_key(SECRET, to=token.seal_public, info=b"x")
    warm = bench.again("custodian-1")
    assert warm.public

    return {
        "sign": lambda: warm.sign(b"yes"),
        "open": lambda: warm.open_key(sealed, info=b"x"),
        "secret": lambda: warm.secret("stage-1"),
        "open an epoch": lambda: warm.open_epoch(1, locked),
        "opened anew": lambda: bench.again("custodian-1").sign(b"yes"),
        "its public keys": lambda: bench.again("custodian-1").seal_public,
    }


def test_a_token_that_is_pulled_out_stops_every_act_and_serves_again_when_put_back(
    bench: TokenBench,
) -> None:
    doing = acts(bench)
    before = {name: act() for name, act in doing.items()}
    for name, act in doing.items():
        bench.hsm.pull_out("custodian-1")
        with pytest.raises(TokenAway, match="custodian-1 is not there"):
            act()
        bench.hsm.put_back("custodian-1")

        assert act() == before[name]


def test_a_key_is_not_taken_for_destroyed_because_its_token_is_away(bench: TokenBench) -> None:
    token = bench.make("custodian-1")
    locked = token.lock_epoch(1, SECRET)
    bench.hsm.pull_out("custodian-1")
    doing: list[Callable[[], Any]] = [
        lambda: token.destroy_epoch(1),
        lambda: token.open_epoch(1, locked),
        lambda: token.lock_epoch(2, SECRET),
        lambda: token.create_secret("stage-1"),
    ]
    for act in doing:
        with pytest.raises(Unavailable):
            act()
    bench.hsm.put_back("custodian-1")

    assert token.open_epoch(1, locked) == SECRET
    assert not (token.folder / "stage-1.secret.json").exists()
    token.create_secret("stage-1")


def open_and_sign(token: Pkcs11Token, locked: bytes) -> None:
    for _ in range(4):
        token.open_epoch(1, locked)
        token.sign(b"yes")


@pytest.mark.parametrize("at", range(6))
def test_a_token_pulled_out_in_the_middle_of_an_act_ends_it_by_name(
    bench: TokenBench, at: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    """It is pulled out after the n-th search in the token's objects, for every n there is."""
    token = bench.make("custodian-1")
    locked = token.lock_epoch(1, SECRET)
    look, left = TokenSession._look, [at]

    def looking(self: TokenSession, *words: Any) -> Any:
        found = look(self, *words)
        left[0] -= 1
        if left[0] == -1:
            bench.hsm.pull_out("custodian-1")
        return found

    monkeypatch.setattr(TokenSession, "_look", looking)
    with pytest.raises(Unavailable):
        open_and_sign(token, locked)
    monkeypatch.undo()
    bench.hsm.put_back("custodian-1")

    assert token.open_epoch(1, locked) == SECRET
    assert token.sign(b"yes")


def test_one_token_that_is_away_leaves_the_other_ones_alone(bench: TokenBench) -> None:
    bench.make("custodian-1")
    other = bench.make("custodian-2")
    bench.hsm.pull_out("custodian-1")

    assert other.sign(b"yes")


def test_a_wrong_pin_is_named_and_is_tried_once(
    bench: TokenBench, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A command asks its token several times; a few wrong tries would lock a real one."""
    bench.make("custodian-1")
    failed, flags_after = [], Cryptoki._flags_after

    def counting(self: Cryptoki, token: Any) -> Any:
        failed.append(token)
        return flags_after(self, token)

    monkeypatch.setattr(Cryptoki, "_flags_after", counting)
    for _ in range(3):
        with pytest.raises(WrongPin, match="custodian-1 refuses this PIN"):
            bench.again("custodian-1", pin="00000000").sign(b"yes")

    assert len(failed) == 1
    assert bench.again("custodian-1").sign(b"yes")


def test_a_wrong_pin_says_that_the_token_counts(bench: TokenBench) -> None:
    bench.make("custodian-1")

    with pytest.raises(WrongPin, match="counts wrong PINs"):
        bench.again("custodian-1", pin="22222222").sign(b"yes")


@pytest.mark.parametrize("pin", ["", "1", "x" * 300, "é" * 8])
def test_any_odd_pin_is_a_wrong_one(bench: TokenBench, pin: str) -> None:
    bench.make("custodian-1")

    with pytest.raises(WrongPin):
        bench.again("custodian-1", pin=pin).sign(b"yes")
    assert bench.again("custodian-1").sign(b"yes")


def test_another_token_under_the_same_label_is_named(bench: TokenBench) -> None:
    token = bench.make("custodian-1")
    bench.hsm.pull_out("custodian-1")
    bench.hsm.initialise("custodian-1")

    with pytest.raises(WrongToken, match="does not hold this party's keys"):
        token.sign(b"yes")


def test_two_tokens_of_one_label_are_told_apart_by_their_serial_number(bench: TokenBench) -> None:
    token = bench.make("custodian-1")
    signature = token.sign(b"yes")
    serial = pkcs11.lib(MODULE).get_token(token_label="custodian-1").serial.decode()
    bench.hsm.initialise("custodian-1")
    pkcs11.lib(MODULE).reinitialize()
    with pytest.raises(Refused, match=r"2 tokens .* custodian-1.*serial"):
        bench.again("custodian-1").sign(b"yes")
    config = token.folder / "party.toml"
    config.write_text(config.read_text().replace("?module", f";serial={serial}?module"))

    assert bench.again("custodian-1").sign(b"yes") == signature


def test_a_module_that_is_not_installed_is_named(tmp_path: Path) -> None:
    with pytest.raises(NotFound, match=r"nowhere\.so cannot be loaded"):
        create_token_party(
            tmp_path / "custodian-1",
            name="custodian-1",
            role=Role.CUSTODIAN,
            operator="a house",
            place=TokenPlace("custodian-1", "/usr/lib/nowhere.so"),
            pin=lambda: PIN,
        )


def all_objects(bench: TokenBench) -> Iterator[tuple[Any, Any]]:
    """Every private or secret key in the token, and the session that sees it."""
    token = pkcs11.lib(MODULE).get_token(token_label="custodian-1")
    with token.open(rw=True, user_pin=PIN) as session:
        for kind in (ObjectClass.SECRET_KEY, ObjectClass.PRIVATE_KEY):
            for found in list(session.get_objects({Attribute.CLASS: kind})):
                yield session, found


def test_no_key_can_be_read_out_of_the_token_even_with_the_pin(bench: TokenBench) -> None:
    bench.make("custodian-1").lock_epoch(1, SECRET)
    seen = 0
    for session, key in all_objects(bench):
        seen += 1
        with pytest.raises(pkcs11.AttributeSensitive):
            key[Attribute.VALUE]
        thief = session.generate_key(KeyType.AES, 256, template={Attribute.WRAP: True})
        with pytest.raises(pkcs11.KeyUnextractable):
            thief.wrap_key(key, mechanism=Mechanism.AES_KEY_WRAP_PAD)
        with pytest.raises(pkcs11.PKCS11Error):
            key[Attribute.EXTRACTABLE] = True

    assert seen == (3 if bench.signing_key_at is SigningKeyAt.TOKEN else 2)


def test_a_stolen_disk_opens_nothing(bench: TokenBench, tmp_path: Path) -> None:
    token = bench.make("custodian-1")
    token.create_secret("stage-1")
    held = [token.secret("stage-1")]
    keys = token._keys
    with token._session() as session:
        held.append(token._unwrap(session, keys.seal, use="seal"))
        if keys.sign is not None:
            held.append(token._unwrap(session, keys.sign, use="sign"))
    disk = b"".join(path.read_bytes() for path in token.folder.iterdir())
    bench.hsm.pull_out("custodian-1")

    for secret in held:
        assert not any(form in disk for form in (secret, secret.hex().encode()))
    again = bench.again("custodian-1")
    doing: list[Callable[[], Any]] = [
        lambda: again.sign(b"yes"),
        lambda: again.secret("stage-1"),
        lambda: again.public,
    ]
    for act in doing:
        with pytest.raises(TokenAway):
            act()


def test_a_stolen_disk_with_another_token_opens_nothing(bench: TokenBench) -> None:
    """Whoever has the disk, the PIN and a token of his own, made over to the party's name."""
    token = bench.make("custodian-1")
    bench.hsm.pull_out("custodian-1")
    place = bench.hsm.initialise("custodian-1")
    thief = create_token_party(
        bench.root / "thief",
        name="custodian-1",
        role=Role.CUSTODIAN,
        operator="a thief",
        place=place,
        pin=lambda: PIN,
    )
    config = (token.folder / "party.toml").read_text()
    (token.folder / "party.toml").write_text(config.replace(token.config.keys, thief.config.keys))

    with pytest.raises(NotGenuine, match="wrapped by another"):
        bench.again("custodian-1").sign(b"yes")


def test_a_public_key_that_was_changed_on_the_disk_is_noticed(bench: TokenBench) -> None:
    token, other = bench.make("custodian-1"), bench.make("custodian-2")
    theirs = {"seal_public": other.seal_public, "sign_public": other.public}
    mine = {"seal_public": token.seal_public, "sign_public": token.public}
    path = token.folder / "key.json"
    genuine = path.read_bytes()
    for name, public in mine.items():
        path.write_bytes(genuine.replace(public.hex().encode(), theirs[name].hex().encode()))
        with pytest.raises(NotGenuine, match="other public keys than its token"):
            _ = bench.again("custodian-1").seal_public


def test_a_party_whose_making_fails_leaves_nothing_behind(bench: TokenBench) -> None:
    folder = bench.root / "custodian-1"
    (folder / ".party.toml").mkdir(parents=True)
    bench.hsm.initialise("custodian-1")
    with pytest.raises(OSError, match="directory"):
        bench.make("custodian-1")

    assert [*all_objects(bench)] == []
    (folder / ".party.toml").rmdir()
    assert bench.make("custodian-1").sign(b"yes")
