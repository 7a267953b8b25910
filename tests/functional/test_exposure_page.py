"""What docs/exposure.md says is what the program does."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from fakes.exposures import REFERENCES, reference
from havre.domain.exposure.clauses import Mode
from havre.domain.exposure.deployment import Deployment
from havre.domain.exposure.evidence import Grade
from havre.domain.exposure.facts import Owns
from havre.domain.exposure.reading import parse_deployment
from havre.domain.exposure.sheet import parse_sheet
from havre.domain.exposure.verdicts import Analysis

PAGE = (Path(__file__).parents[2] / "docs/exposure.md").read_text("utf-8")
EXAMPLES = re.findall(r"^```toml\n(.*?)^```$", PAGE, re.MULTILINE | re.DOTALL)
ROWS = {
    match[1]: [cell.strip() for cell in match[2].split("|")]
    for match in re.finditer(r"^\| `([ab]\d)` [^|]*\|(.*)\|$", PAGE, re.MULTILINE)
}


def test_the_examples_of_the_page_are_read() -> None:
    deployment, sheet = parse_deployment(EXAMPLES[0].encode()), parse_sheet(EXAMPLES[1].encode())

    assert Analysis(deployment).cell("metadata", law="US", mode=Mode.PASSIVE).derivable is False
    (owns,) = [fact for fact in deployment.facts if isinstance(fact, Owns)]
    assert (owns.share, owns.control) == (3_334, False)
    assert sheet.operator == "Exemple Cloud"


@pytest.mark.parametrize("name", REFERENCES)
def test_the_table_of_the_page_is_what_is_computed(name: str) -> None:
    gated = reference(name)
    ungated = gated.without_gates()

    def cell(deployment: Deployment, message: str, mode: Mode) -> str:
        if message not in [each.name for each in deployment.messages]:
            return "–"
        analysis = Analysis(deployment)
        margin = analysis.cell(message, law="US", mode=mode).margin.size
        return f"{margin} / {analysis.coalitions(message, mode=mode).smallest}"

    metadata = Analysis(gated).cell("metadata", law="US", mode=Mode.PASSIVE).derivable
    assert ROWS[name] == [
        cell(gated, "base", Mode.PASSIVE),
        cell(gated, "base", Mode.ACTIVE),
        cell(ungated, "base", Mode.ACTIVE),
        cell(gated, "working-set", Mode.PASSIVE),
        cell(gated, "working-set", Mode.ACTIVE),
        cell(ungated, "working-set", Mode.ACTIVE),
        cell(gated, "working-set", Mode.BROKEN),
        "derivable" if metadata else "not derivable",
        str(Analysis(gated).stopping.kill_margin),
    ]


def test_every_grade_and_every_mode_is_explained_on_the_page() -> None:
    for word in (*(grade.name for grade in Grade), *(mode.value for mode in Mode)):
        assert f"`{word}`" in PAGE
