"""Terms: what somebody can have. A name, or something encrypted under a key's name.

`seed/dcir` is a name; `enc(seed/dcir,base)` is the base encrypted under that
key. A share of a key is a name like any other: the threshold says what it is a
share of. Two layers are `enc(k1,enc(k2,base))`.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from functools import cache

from havre.errors import InvalidInput

_NAME = re.compile(r"[a-z0-9][a-z0-9./-]{0,79}")
_ENCRYPTED = re.compile(rf"enc\((?P<key>{_NAME.pattern}),(?P<inner>.+)\)")
MOST_LAYERS = 6


@cache
def opening_of(term: str) -> tuple[str, str] | None:
    """Tell which key opens a term, and what is then seen; null when it is not encrypted.

    >>> opening_of("enc(k1,enc(k2,base))"), opening_of("base")
    (('k1', 'enc(k2,base)'), None)
    """
    match = _ENCRYPTED.fullmatch(term)
    return (match["key"], match["inner"]) if match else None


def seal(key: str, term: str) -> str:
    """Spell a term encrypted under a key.

    >>> seal("k1", "base")
    'enc(k1,base)'
    """
    return f"enc({key},{term})"


def parse_term(text: str) -> str:
    """Read a term, and give it back.

    Raises:
        InvalidInput: it is spelled otherwise, or has more layers than anybody needs.

    >>> parse_term("enc(seed,base)")
    'enc(seed,base)'
    """
    inner: str | None = text
    for _ in range(MOST_LAYERS):
        if inner is None or _NAME.fullmatch(inner):
            break
        opened = opening_of(inner)
        inner = opened[1] if opened else None
    if inner is None or not _NAME.fullmatch(inner):
        raise InvalidInput("A term is not spelled like base, seed/dcir or enc(seed,base).")
    return text


def subterms(term: str) -> Iterator[str]:
    """List a term, the key that opens it, and what is inside, to the innermost.

    >>> list(subterms("enc(k,base)"))
    ['enc(k,base)', 'k', 'base']
    """
    yield term
    opened = opening_of(term)
    if opened is not None:
        yield opened[0]
        yield from subterms(opened[1])
