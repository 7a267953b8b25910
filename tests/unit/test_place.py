"""A hub's own file says where things are, and what the site says of it; nothing is read loosely."""

from __future__ import annotations

from pathlib import Path

import pytest

from havre.bootstrap.place import CONFIGURATION, parse_settings, read_place, write_place
from havre.errors import InvalidInput
from havre.ports.pages import SiteSettings


def written(folder: Path, settings: SiteSettings) -> bytes:
    write_place(
        folder,
        custodians=[folder / "c1"],
        escrow=folder / "escrow",
        witnesses=[folder / "w1"],
        settings=settings,
    )
    return (folder / CONFIGURATION).read_bytes()


@pytest.mark.parametrize(
    "settings", [SiteSettings(), SiteSettings(made_up=True, language="en")], ids=str
)
def test_what_founding_says_of_the_data_is_read_back(
    settings: SiteSettings, tmp_path: Path
) -> None:
    document = written(tmp_path, settings)

    assert read_place(tmp_path).settings == settings
    assert parse_settings(document) == settings


def test_a_hub_that_says_nothing_claims_nothing(tmp_path: Path) -> None:
    document, _, _ = written(tmp_path, SiteSettings(made_up=True)).partition(b"[site]")

    assert parse_settings(document) == SiteSettings()


@pytest.mark.parametrize(
    "section",
    [
        'made_up = "yes"',
        "made_up = 1",
        'language = "english"',
        "language = 3",
        'colour = "blue"',
        "[site.more]",
    ],
)
def test_a_misspelled_section_is_refused(section: str) -> None:
    with pytest.raises(InvalidInput):
        parse_settings(f"[site]\n{section}\n".encode())


def test_what_is_no_configuration_is_refused() -> None:
    with pytest.raises(InvalidInput):
        parse_settings(b"\xff[site")
