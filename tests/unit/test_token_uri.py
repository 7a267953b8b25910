"""A hardware token's address is read strictly, and brings no PIN."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from havre.errors import InvalidInput
from havre.formats.token_uri import TokenPlace, is_token_uri, parse_token_uri

LABELS = st.text(min_size=1).filter(lambda text: text.isprintable() and len(text.encode()) <= 32)


@given(LABELS, LABELS, st.text().filter(lambda s: s.isprintable() and len(s.encode()) <= 16))
def test_an_address_reads_back_as_it_was_spelled(label: str, file: str, serial: str) -> None:
    place = TokenPlace(label, f"/usr/lib/{file}", serial)

    assert parse_token_uri(place.uri) == place
    assert is_token_uri(place.uri)


@pytest.mark.parametrize(
    "pin", ["&pin-value=1234", "&pin-source=file:/etc/pin", "&pin-source=%7Ccommand"]
)
def test_an_address_that_brings_a_pin_is_refused_by_name(pin: str) -> None:
    with pytest.raises(InvalidInput, match=pin[1:].split("=", maxsplit=1)[0]):
        parse_token_uri(f"pkcs11:token=a?module-path=/lib/a.so{pin}")


@pytest.mark.parametrize(
    "text",
    [
        "",
        "token=a?module-path=/lib/a.so",
        "pkcs11:",
        "pkcs11:token=a",
        "pkcs11:?module-path=/lib/a.so",
        "pkcs11:token=?module-path=/lib/a.so",
        "pkcs11:token=a?module-path=a.so",
        "pkcs11:token=a;token=b?module-path=/lib/a.so",
        "pkcs11:token=a;serial=?module-path=/lib/a.so",
        "pkcs11:token=a;serial=12345678901234567?module-path=/lib/a.so",
        "pkcs11:token=a;object=key?module-path=/lib/a.so",
        "pkcs11:token=a?module-path=/lib/a.so&module-name=a",
        "pkcs11:token=%?module-path=/lib/a.so",
        "pkcs11:token=%zz?module-path=/lib/a.so",
        "pkcs11:token=%ff?module-path=/lib/a.so",
        "pkcs11:token=%0A?module-path=/lib/a.so",
        "pkcs11:token=a\n?module-path=/lib/a.so",
        f"pkcs11:token={'a' * 33}?module-path=/lib/a.so",
        f"pkcs11:token={'é' * 17}?module-path=/lib/a.so",
        f"pkcs11:token=a?module-path=/{'a' * 1024}",
    ],
)
def test_any_other_spelling_is_refused(text: str) -> None:
    with pytest.raises(InvalidInput):
        parse_token_uri(text)


@given(st.text(max_size=80))
def test_no_text_breaks_the_reader(text: str) -> None:
    try:
        place = parse_token_uri(f"pkcs11:{text}")
    except InvalidInput:
        return
    assert parse_token_uri(place.uri) == place
