"""P7 against a delivery that is sent once more under another name: no row of it may count twice."""

from __future__ import annotations

from pathlib import Path

import pytest

from fakes.correcting import corrected
from fakes.small_hub import SmallHub, copy_of, founded, quiet
from havre.bootstrap.intake import take_in
from havre.errors import Refused

FIRST, TWIN = "dcir-2025-06", "the-same-again"


@pytest.fixture
def hub(tmp_path: Path) -> SmallHub:
    copied = copy_of(founded(), tmp_path)
    copied.holder().deliver([copied.deliveries / FIRST], progress=quiet)
    return copied


@pytest.mark.parametrize("is_taken_in", [False, True])
def test_the_same_files_under_another_name_are_refused_at_the_holder(
    hub: SmallHub, is_taken_in: bool
) -> None:
    if is_taken_in:
        assert not take_in(hub.open(), (), progress=quiet).faults
    twin = corrected(hub.deliveries / FIRST, TWIN, corrects=None)

    with pytest.raises(Refused, match=f"Delivery {FIRST} has the very same files"):
        hub.holder().deliver([twin], progress=quiet)

    assert TWIN not in hub.open().receiving.receive().taken_in


def test_what_the_hub_has_dropped_may_come_under_any_name(hub: SmallHub) -> None:
    for posted in (hub.hub / "inbox" / FIRST).rglob("*"):
        if posted.is_file() and "note" not in posted.name:
            posted.write_bytes(b"damaged on its way")
    hub.open().receiving.drop(FIRST)
    twin = corrected(hub.deliveries / FIRST, TWIN, corrects=None)

    hub.holder().deliver([twin], progress=quiet)

    (version,) = take_in(hub.open(), (), progress=quiet).done
    assert version.deliveries == {TWIN}


def test_another_file_under_another_name_is_delivered(hub: SmallHub) -> None:
    other = corrected(hub.deliveries / FIRST, "other", lambda lines: lines[1:], corrects=None)

    (note,) = hub.holder().deliver([other], progress=quiet)

    assert note.delivery == "other"
