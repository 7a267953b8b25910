"""Refusals on their way through an Arrow stream, whose C interface carries a text and no exception.

Whoever offers a stream says what was refused (`kept`); whoever reads it hears it again
(`refusals_heard`), on the same thread, as the refusal that it was.
"""

from __future__ import annotations

import threading
from collections.abc import Iterator
from contextlib import contextmanager
from typing import TypeVar

from havre.errors import HavreError

T = TypeVar("T")
_on_this_thread = threading.local()


def kept(items: Iterator[T]) -> Iterator[T]:
    """Yield what a stream offers, and keep the refusal that ends it."""
    try:
        yield from items
    except HavreError as refusal:
        _on_this_thread.refusal = refusal
        raise


@contextmanager
def refusals_heard() -> Iterator[None]:
    """Raise the refusal that was kept in place of the reader's own error about it."""
    _on_this_thread.refusal = None
    try:
        yield
    except HavreError:
        raise
    except Exception:
        refusal = getattr(_on_this_thread, "refusal", None)
        if refusal is None:
            raise
        raise refusal from None
