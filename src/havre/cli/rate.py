"""How fast something is, from what it says of itself now and then: a moving mean."""

from __future__ import annotations

import time
from collections import deque
from collections.abc import Callable

_SPAN_S = 30.0
# Looked at no more often: what is asked for every batch is asked for a thousand times a second.
_STEP_S = 0.5


class Rate:
    """Things a second over the last half minute."""

    def __init__(self, clock: Callable[[], float] = time.monotonic) -> None:
        """Measure with a clock that gives seconds."""
        self._clock = clock
        self._seen: deque[tuple[float, int]] = deque()
        self._per_s = 0.0

    def see(self, things: int) -> float:
        """Take in how many there are so far; with fewer than before, another count has begun.

        Returns things a second; 0 while nobody can say.
        """
        now, seen = self._clock(), self._seen
        if seen and things < seen[-1][1]:
            seen.clear()
            self._per_s = 0.0
        if seen and now - seen[-1][0] < _STEP_S:
            return self._per_s
        seen.append((now, things))
        while now - seen[0][0] > _SPAN_S and len(seen) > 2:
            seen.popleft()
        taken_s = now - seen[0][0]
        self._per_s = (things - seen[0][1]) / taken_s if taken_s else 0.0
        return self._per_s
