"""The table of asset classes is whole, and the page about leaving shows it as it is."""

from __future__ import annotations

from pathlib import Path

from havre.domain.assets import ASSETS
from havre.domain.departure import AssetClass

PAGE = Path(__file__).parents[2] / "docs" / "leaving.md"


def as_page_rows() -> list[str]:
    """The table as Markdown, a row for each class."""
    return [
        f"| `{asset.value}` | {rule.holds} | {rule.format} | {rule.reader} | {rule.proof}"
        f" | {rule.not_yet or '–'} |"
        for asset, rule in ASSETS.items()
    ]


def test_every_asset_class_has_a_row_in_the_order_of_the_classes() -> None:
    assert list(ASSETS) == list(AssetClass)


def test_a_class_without_a_reader_or_a_proof_says_why() -> None:
    lacking = [rule for rule in ASSETS.values() if "none" in (rule.reader, rule.proof)]

    assert lacking
    assert all(rule.not_yet for rule in lacking)


def test_the_page_about_leaving_shows_the_table_as_it_is() -> None:
    lines = PAGE.read_text(encoding="utf-8").splitlines()

    assert [line for line in lines if line.startswith("| `")] == as_page_rows()
