"""P4 and P2: who may run what is settled before any key is opened."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import pytest

from fakes.small_hub import PERMIT_NAME, SmallHub, copy_of, granted, tiny_code
from havre.adapters.tokens.file import FileToken, create_party
from havre.application.run import StudyCode
from havre.domain.events import ExtractMade, JobRan, KeysRequested
from havre.domain.permit_states import PermitState
from havre.domain.trust import Role
from havre.errors import NotGenuine, Refused


@pytest.fixture
def hub(tmp_path: Path) -> SmallHub:
    return copy_of(granted(), tmp_path)


def asked_for_keys(hub: SmallHub) -> int:
    return sum(isinstance(e.event, KeysRequested | JobRan) for e in hub.open().log.entries())


def a_key_of_nobody_under_a_known_name(hub: SmallHub) -> FileToken:
    return create_party(
        hub.root / "stranger", name="researcher", role=Role.RESEARCHER, operator="elsewhere"
    )


def a_checkers_key(hub: SmallHub) -> FileToken:
    return hub.token("checker-1")


@pytest.mark.parametrize(
    ("who", "reason"),
    [
        (a_key_of_nobody_under_a_known_name, "not in the trust roots"),
        (a_checkers_key, "researcher"),
    ],
    ids=lambda value: getattr(value, "__name__", ""),
)
def test_a_name_is_not_believed_without_its_key(
    hub: SmallHub, who: Callable[[SmallHub], FileToken], reason: str
) -> None:
    before = asked_for_keys(hub)

    with pytest.raises((Refused, NotGenuine), match=reason):
        hub.open().runs.run(PERMIT_NAME, tiny_code(), researcher=who(hub))

    assert asked_for_keys(hub) == before


def another_environment(hub: SmallHub) -> StudyCode:
    return replace(tiny_code(), environment_sha256="0" * 64)


def a_permit_that_was_suspended(hub: SmallHub) -> StudyCode:
    hub.open().permits.decide(
        PERMIT_NAME, PermitState.SUSPENDED, authority=hub.token("authority-1"), reason="a complaint"
    )
    return tiny_code()


@pytest.mark.parametrize(
    ("code", "reason"),
    [
        (another_environment, "another study environment"),
        (a_permit_that_was_suspended, "suspended"),
    ],
    ids=lambda value: getattr(value, "__name__", ""),
)
def test_what_the_permit_does_not_grant_opens_no_key(
    hub: SmallHub, code: Callable[[SmallHub], StudyCode], reason: str
) -> None:
    study = code(hub)
    before = asked_for_keys(hub)

    with pytest.raises(Refused, match=reason):
        hub.open().runs.run(PERMIT_NAME, study, researcher=hub.token("researcher"))

    assert asked_for_keys(hub) == before


def test_somebody_whom_the_permit_does_not_name_opens_no_key(
    hub: SmallHub, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The permit's people are those that its authorities signed for, nobody else of that role."""
    opened = hub.open()
    standing = opened.permits.standing(PERMIT_NAME)
    without = replace(standing, permit=replace(standing.permit, people=("somebody-else",)))
    monkeypatch.setattr(type(opened.permits), "standing", lambda *_: without)

    with pytest.raises(Refused, match="does not name researcher"):
        opened.runs.run(PERMIT_NAME, tiny_code(), researcher=hub.token("researcher"))


def test_a_study_runs_on_the_newest_extract(hub: SmallHub) -> None:
    hub.open().extraction.extract(PERMIT_NAME)

    hub.open().runs.run(PERMIT_NAME, tiny_code(), researcher=hub.token("researcher"))

    entries = hub.open().log.entries()
    extracts = [each.index for each in entries if isinstance(each.event, ExtractMade)]
    (ran,) = [each.event for each in entries if isinstance(each.event, JobRan)]
    assert (len(extracts), ran.extract) == (2, extracts[-1])
