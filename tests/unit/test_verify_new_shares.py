"""What the stranger's program lets a log say of new shares."""

from __future__ import annotations

import importlib.util
import sys
from dataclasses import replace
from types import ModuleType

import pytest

from fakes.parties import ORIGIN, START, Cast
from fakes.resharing_log import ONE, ORDER, TWO, asked, lent, ordered, reshared
from fakes.verifier import VERIFIER
from havre.crypto.random import new_object_id
from havre.domain.events import Event, KeysAbandoned, encode_event


@pytest.fixture(scope="module")
def verifier() -> ModuleType:
    spec = importlib.util.spec_from_file_location("verify_log", VERIFIER)
    assert spec
    assert spec.loader
    module = importlib.util.module_from_spec(spec)
    # Its dataclasses look themselves up there.
    sys.modules[spec.name] = module
    spec.loader.exec_module(module)
    return module


def read(verifier: ModuleType, events: list[Event]) -> None:
    story = verifier.Story(ORIGIN)
    for event in events:
        verifier._take(story, encode_event(event))


def log_with(*more: Event) -> list[Event]:
    """A log whose order names the trust roots that it was opened with, and more behind it."""
    _, (opened, *events) = ordered(Cast())
    order = events[-1]
    opened = replace(opened, trust_sha256=order.previous_sha256)  # type: ignore[attr-defined, call-arg]
    return [opened, *events, *more]


def test_new_shares_follow_on_an_opening_by_enough_holders(verifier: ModuleType) -> None:
    read(verifier, log_with(*lent("custodian-1", "custodian-2"), reshared(ONE, TWO)))


@pytest.mark.parametrize(
    "opened",
    [
        [],
        [asked(ONE, TWO)],
        lent(),
        lent("custodian-1"),
        lent("custodian-1", "nobody"),
        [asked(ONE, TWO), KeysAbandoned(event_id=new_object_id(), at=START, request=ORDER + 1)],
    ],
)
def test_new_shares_that_no_opening_gave_are_no_log(
    verifier: ModuleType, opened: list[Event]
) -> None:
    with pytest.raises(verifier.Fault, match="no ceremony opened for it"):
        read(verifier, log_with(*opened, reshared(ONE, TWO)))
