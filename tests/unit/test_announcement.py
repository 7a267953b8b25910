"""An announcement that no reader of TOML gets through is refused as any other bad one."""

from __future__ import annotations

import pytest

from havre.domain.announcement import parse_announcement
from havre.errors import InvalidInput

HEAD = 'format = "havre/v1/delivery"\nname = "a"\ndataset = "cepidc"\n'
DEEP = f"deep = {'[' * 5000}{']' * 5000}\n"
LONG = f"long = {'9' * 5000}\n"


@pytest.mark.parametrize("body", [DEEP, LONG])
def test_toml_that_is_too_deep_or_too_long_to_read_is_refused(body: str) -> None:
    """It ended the command, and with it the deliveries behind it."""
    with pytest.raises(InvalidInput):
        parse_announcement(HEAD + body)
    with pytest.raises(InvalidInput):
        parse_announcement(
            HEAD + '[layout]\nkind = "fixed-width"\ncolumns = "places.toml"\n',
            beside=lambda _: body,
        )
