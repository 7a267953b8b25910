"""An address says where a party answers and which party it is, in one spelling."""

from __future__ import annotations

from pathlib import Path

import pytest

from havre.bootstrap.party_places import read_parties, read_party, spell_party
from havre.domain.service_address import ServiceAddress, parse_address
from havre.errors import InvalidInput


@pytest.mark.parametrize(
    ("text", "address"),
    [
        ("unix:a/custodian-1.sock", ServiceAddress("custodian-1", socket="a/custodian-1.sock")),
        ("unix:///run/witness-2.sock", ServiceAddress("witness-2", socket="/run/witness-2.sock")),
        ("https://escrow@10.0.0.1:7443", ServiceAddress("escrow", host="10.0.0.1", port=7443)),
        ("https://escrow.example:443/", ServiceAddress("escrow", host="escrow.example", port=443)),
        ("https://escrow@[::1]:7443", ServiceAddress("escrow", host="::1", port=7443)),
    ],
)
def test_an_address_reads_and_writes_itself(text: str, address: ServiceAddress) -> None:
    assert parse_address(text) == address
    assert parse_address(address.text) == address


@pytest.mark.parametrize(
    "text",
    [
        "",
        "unix:",
        "unix:/run/.sock",
        "unix:/run/Custodian 1.sock",
        "unix:/run/a\x00.sock",
        "http://custodian-1@host:7443",
        "https://custodian-1@host",
        "https://custodian-1@host:0",
        "https://custodian-1@host:70000",
        "https://custodian-1:password@host:7443",
        "https://Custodian@host:7443",
        "https://custodian-1@host:7443/path",
        "https://custodian-1@host:7443?x=1",
        "https://custodian-1@ho st:7443",
        "https://custodian-1@[zz]:7443",
    ],
)
def test_what_is_no_address_is_refused(text: str) -> None:
    with pytest.raises(InvalidInput):
        parse_address(text)


@pytest.mark.parametrize(
    "text", ["../parties/custodian-1", "unix:../parties/a/a.sock", "https://a@host:1"]
)
def test_a_place_is_spelled_as_it_was_read(text: str, tmp_path: Path) -> None:
    assert spell_party(tmp_path, read_party(tmp_path, text)) == text


def test_a_socket_elsewhere_is_found_from_anywhere(tmp_path: Path) -> None:
    place = read_party(tmp_path, "unix:///run/havre/custodian-1.sock")

    assert spell_party(tmp_path, place) == "unix:/run/havre/custodian-1.sock"


@pytest.mark.parametrize(
    "text", ["", "[parties]\n", "[parties]\ncustodians = 7\nescrow = 'e'\nwitnesses = []\n", "x ="]
)
def test_a_file_that_does_not_say_where_the_parties_are_is_named(text: str, tmp_path: Path) -> None:
    file = tmp_path / "parties.toml"
    file.write_text(text)

    with pytest.raises(InvalidInput, match=r"parties\.toml does not say"):
        read_parties(file)
