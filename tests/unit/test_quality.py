"""The quality label says what was counted, in six elements, and no more."""

from __future__ import annotations

from datetime import UTC, datetime

import pytest

from havre.domain.content import Grain
from havre.domain.description import DatasetDescription, TableDescription, VariableDescription
from havre.domain.quality import (
    SCALE,
    Element,
    LineCounts,
    QualityLabel,
    compare_labels,
    judge_version,
    level_of,
)
from havre.domain.quality_text import encode_label, parse_label
from havre.errors import InvalidInput

AT = datetime(2024, 3, 1, 12, tzinfo=UTC)


def table(*, missing: int = 0, links_found: int | None = None) -> TableDescription:
    return TableDescription(
        name="T",
        title="",
        grain=Grain.PEOPLE if links_found is None else Grain.FOLLOWING,
        rows=10_000,
        people=500,
        links_found=links_found,
        variables=(
            VariableDescription(name="k", title="", type="string", required=True, missing=missing),
            VariableDescription(name="opt", title="", type="string", missing=9_000),
            VariableDescription(
                name="day", title="", type="date", missing=0, low="2023-01", high="2023-12"
            ),
        ),
    )


def judged(
    lines: int = 10_000, *, links_found: int | None = None, missing: int = 0, **aside: int
) -> QualityLabel:
    told = DatasetDescription("d", "v1", (table(missing=missing, links_found=links_found),))
    reasons = {reason.replace("_", " "): count for reason, count in aside.items()}
    return judge_version(told, LineCounts(lines, reasons), periods={"T": "day"}, at=AT)


def levels(label: QualityLabel) -> dict[str, int | None]:
    return {each.element.value: each.level for each in label.judgements}


def test_a_clean_delivery_reaches_the_best_level_in_what_was_measured() -> None:
    assert levels(judged()) == {
        "completeness": 4,
        "uniqueness": 4,
        "accuracy": 4,
        "validity": 4,
        "timeliness": 4,
        "consistency": None,
    }


@pytest.mark.parametrize(
    ("reason", "element"),
    [
        ("duplicate_key", "uniqueness"),
        ("unknown_value_in_SEX", "validity"),
        ("wrong_type_in_DAY", "validity"),
        ("empty_cell_in_KEY", "completeness"),
        ("stray_quote", "accuracy"),
        ("something_new", "accuracy"),
    ],
)
def test_a_line_set_aside_lowers_the_element_that_its_reason_is_about(
    reason: str, element: str
) -> None:
    worse = {
        name: level
        for name, level in levels(judged(**{reason: 3_000})).items()
        if level != levels(judged())[name]
    }

    assert set(worse) == {element}
    assert worse[element] in {1, 2}


def test_the_validity_is_that_of_lines_or_of_codes_whichever_is_lower() -> None:
    told = DatasetDescription("d", "v1", (table(),))

    def validity(aside: int, *, codes: int, at_fault: int) -> tuple[int | None, int, int]:
        counts = LineCounts(10_000, {"wrong type": aside}, codes, at_fault)
        label = judge_version(told, counts, periods={"T": "day"}, at=AT)
        judgement = label.judgement(Element.VALIDITY)
        return judgement.measured, judgement.lines, judgement.faults

    assert validity(200, codes=90_000, at_fault=900) == (98_000, 10_000, 200)
    assert validity(200, codes=90_000, at_fault=9_000) == (90_000, 90_000, 9_000)
    assert validity(200, codes=0, at_fault=0) == (98_000, 10_000, 200)
    assert validity(0, codes=90_000, at_fault=40) == (100_000, 10_000, 0)


def test_holes_count_only_where_every_row_should_have_a_cell() -> None:
    label = judged(missing=600)

    completeness = label.judgement(Element.COMPLETENESS)
    assert (completeness.lines, completeness.faults) == (10_000, 600)
    assert (completeness.level, completeness.measured) == (2, 94_000)


def test_timeliness_counts_from_the_end_of_the_last_month_covered() -> None:
    """December 2023 was over on 1 January 2024; the version is of 1 March."""
    assert judged().judgement(Element.TIMELINESS).measured == 60
    assert judged().covers_until == "2023-12"


def test_consistency_is_the_share_of_rows_that_find_the_row_they_follow() -> None:
    assert judged(links_found=970).judgement(Element.CONSISTENCY).measured == 97_000
    assert judged(links_found=1000).judgement(Element.CONSISTENCY).level == 4


def test_few_faults_cannot_be_told_from_none() -> None:
    assert judged(duplicate_key=3) == judged()


@pytest.mark.parametrize("element", Element)
def test_each_bar_of_the_scale_is_where_a_level_begins(element: Element) -> None:
    worse = 1 if element is Element.TIMELINESS else -1

    for level, bar in zip((4, 3, 2), SCALE[element], strict=True):
        assert level_of(element, bar) == level
        assert level_of(element, bar + worse) == level - 1


def test_two_versions_are_compared_element_by_element() -> None:
    before, now = judged(links_found=970), judged(duplicate_key=3_000, links_found=1000)

    words = {each.element.value: each.word for each in compare_labels(now, before)}
    assert words["uniqueness"] == "worse"
    assert words["consistency"] == "better"
    assert words["validity"] == "the same"
    assert compare_labels(judged(), before)[-1].word == "not comparable"


def test_a_label_is_read_as_it_was_written() -> None:
    assert parse_label(encode_label(judged(missing=600))) == judged(missing=600)
    with pytest.raises(InvalidInput):
        parse_label(b"{}")
