"""A hub that dies behind a record: between any two steps of an act that the log tells of."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import pytest

from havre.application.journal import Journal
from havre.domain.events import Event


class DiedError(BaseException):
    """The hub is gone at this step: nothing in it goes on."""


@contextmanager
def dies_at_record(step: int, *, moment: str = "after") -> Iterator[None]:
    """Let every hub of this process die at the step-th record, counted from 1.

    moment: `before` or `after` it is on the log.
    """
    whole, left = Journal.record, [step]

    def record(self: Journal, *events: Event, **given: Any) -> tuple[int, ...]:
        left[0] -= 1
        if left[0] == 0 and moment == "before":
            raise DiedError
        indices = whole(self, *events, **given)
        if left[0] == 0:
            raise DiedError
        return indices

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(Journal, "record", record)
        yield
