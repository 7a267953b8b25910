"""How fast something is."""

from __future__ import annotations

from itertools import pairwise

from havre.cli.rate import Rate


def rates(*seen: tuple[float, int]) -> list[float]:
    """What is said after each (second, things so far)."""
    times = iter([at for at, _ in seen])
    rate = Rate(clock=lambda: next(times))
    return [rate.see(things) for _, things in seen]


def test_a_rate_is_things_a_second_over_the_last_half_minute() -> None:
    assert rates((0, 0), (1, 10), (2, 30)) == [0, 10, 15]
    assert rates(*((at, 5 * at) for at in range(100)))[-1] == 5
    fast_then_slow = rates(*((at, 1000 * min(at, 10) + at) for at in range(100)))
    assert fast_then_slow[-1] == 1
    assert all(later <= before for before, later in pairwise(fast_then_slow[11:]))


def test_what_is_asked_too_soon_is_what_was_said_before() -> None:
    assert rates((0, 0), (1, 10), (1.1, 5000), (1.6, 16)) == [0, 10, 10, 10]


def test_fewer_than_before_begin_a_new_count() -> None:
    assert rates((0, 0), (1, 10), (2, 3), (3, 9)) == [0, 10, 0, 6]
