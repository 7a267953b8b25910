"""What words may look like in anything that leaves: seen by a reader, and run by nobody.

An allow-list, since there is no end to the characters that show nothing: tags,
fillers, variation selectors, blanks of all widths, letters that look like others.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from decimal import Decimal

from havre.domain.findings import Finding, Rule, Severity

MAX_TEXT_BYTES = 20 * 1024
MAX_TEXT_NUMBERS = 100
# Printable ASCII, the letters of western and central Europe, each one character with
# its accent, and the marks that typesetters use. No blank but the plain one. Other
# scripts are left out with their twins of our letters: Cyrillic, Greek, full width.
_PLAIN = re.compile(r"[ -~\u00a1-\u00ac\u00ae-\u017f–—‘’“”…•‰€≤≥≠−]*")
_TWO_BLANKS = re.compile(r"\S {2,}")
_NUMBER = re.compile(r"[+-]?(?:[0-9]+\.?[0-9]*|\.[0-9]+)(?:[eE][+-]?[0-9]{1,2})?")
_NUMBER_IN_TEXT = re.compile(r"(?<![0-9A-Za-z.,])[0-9]+(?:[.,][0-9]+)*")
# Our pseudonyms and keys, and the SNDS's own numbers.
_IDENTIFIERS = re.compile(
    r"[0-9a-fA-F]{32}"
    # Half a pseudonym, of letters and digits.
    r"|(?<![A-Za-z0-9])(?=[a-f]*[0-9])(?=[0-9]*[a-f])[0-9a-f]{16,}(?![A-Za-z0-9])"
    # The SNDS's pseudonyms have letters among their digits; a long fraction has none.
    r"|(?<![A-Za-z0-9])(?=[0-9]*[A-Z])[A-Z0-9]{17,18}(?![A-Za-z0-9])"
    # A NIR, with its key or without; and what is longer than any count.
    r"|(?<![0-9.])[1-8][0-9]{2}(?:0[1-9]|1[0-2]|[2-9][0-9])[0-9][0-9AB][0-9]{6}(?:[0-9]{2})?(?![0-9.])"
    r"|(?<![0-9.])[0-9]{16,}(?![0-9.])"
    # Bytes written as text: long, mixed, and with the padding or without.
    r"|(?<![A-Za-z0-9+/])(?=[A-Za-z+/]*[0-9])(?=[A-Z0-9+/]*[a-z])(?=[a-z0-9+/]*[A-Z])"
    r"[A-Za-z0-9+/]{22,}={0,2}(?![A-Za-z0-9+/])"
)


def number_of(text: str) -> Decimal | None:
    """Read a number in any spelling that a program may write.

    >>> number_of(" 70e-1 ") == 7, number_of("seven")
    (True, None)
    """
    bare = text.strip()
    return Decimal(bare) if _NUMBER.fullmatch(bare) else None


def is_plain(text: str) -> bool:
    """Tell whether a reader sees all of a line: allowed characters, no blank too many.

    >>> is_plain("Côte d'Azur, 2024"), is_plain("Corse\\u200b"), is_plain("Corse ")
    (True, False, False)
    """
    seen = _PLAIN.fullmatch(text) and text == text.strip()
    return bool(seen) and not _TWO_BLANKS.search(text)


def is_formula(text: str) -> bool:
    """Tell whether a spreadsheet would run a cell.

    >>> is_formula(" =1+1"), is_formula("-1+cmd()"), is_formula("-1.5"), is_formula("-")
    (True, True, False, False)
    """
    bare = text.strip()
    if not bare.startswith(("=", "@", "+", "-")) or bare == "-":
        return False
    return not _NUMBER.fullmatch(bare)


def check_words(file: str, words: list[str]) -> Iterator[Finding]:
    """Hold cells, titles or names against the rules for characters, formulas and identifiers."""
    if run := sum(map(is_formula, words)):
        yield Finding(file, Rule.UNSEEN, "a spreadsheet would run a cell", cells=run)
    if unseen := sum(not is_plain(each) for each in words):
        yield Finding(file, Rule.UNSEEN, "holds characters that nobody sees", cells=unseen)
    yield from check_identifiers(file, "\n".join(words))


def check_identifiers(file: str, text: str) -> Iterator[Finding]:
    """Look for what names people: pseudonyms, NIRs, and bytes written as text."""
    if found := len(_IDENTIFIERS.findall(text)):
        yield Finding(file, Rule.PEOPLE, "holds what looks like pseudonyms", cells=found)


def check_text(file: str, content: bytes, *, min_count: int) -> Iterator[Finding]:
    """Hold a text against its rules: short, plain, no table, few numbers."""
    try:
        text = content.decode("utf-8")
    except UnicodeDecodeError:
        yield Finding(file, Rule.FORM, "is no text in UTF-8")
        return
    if len(content) > MAX_TEXT_BYTES:
        yield Finding(file, Rule.FORM, "is too long for a person to read")
        return
    lines = text.removesuffix("\n").split("\n")
    if "\n\n\n" in text or text.endswith("\n\n"):
        yield Finding(file, Rule.UNSEEN, "holds empty lines that say nothing")
    if any("\t" in line or line.count("|") > 1 or line.count(";") > 2 for line in lines):
        yield Finding(file, Rule.FORM, "holds a table: that is a file of its own")
    # A line may be indented, and a list begins with a dash and a blank.
    bare = [line.lstrip(" ").removeprefix("- ") for line in lines]
    yield from check_words(file, [line for line in bare if set(line) - set("=-")])
    yield from _check_numbers(file, text, min_count=min_count)


def _check_numbers(file: str, text: str, *, min_count: int) -> Iterator[Finding]:
    numbers = _NUMBER_IN_TEXT.findall(text)
    if len(numbers) > MAX_TEXT_NUMBERS:
        yield Finding(file, Rule.PEOPLE, "is rows of numbers and no text", cells=len(numbers))
    few = {str(number) for number in range(1, min_count)}
    if small := sum(number in few for number in numbers):
        said = f"numbers below {min_count}: does one of them count people?"
        yield Finding(file, Rule.SMALL_COUNT, said, Severity.SHOULD, cells=small)
