"""Fact sheets of hosts: what is read, what is refused, and what is computed of them."""

from __future__ import annotations

from datetime import date, timedelta
from fractions import Fraction

import pytest
from hypothesis import given
from hypothesis import strategies as st

from havre.domain.exposure.capital import Shown, ownership_table
from havre.domain.exposure.evidence import Evidence, Grade
from havre.domain.exposure.facts import Arguable, Owns, Push, Subject
from havre.domain.exposure.ownership import settle_control
from havre.domain.exposure.sheet import HostSheet, Parent, Part, Place, Standing, parse_sheet
from havre.domain.exposure.sheet_facts import facts_of_sheet, people_of_sheet, updates_of_sheet
from havre.errors import InvalidInput

SHEET = """
format = "havre/v1/host-sheet"
operator = "Exemple Cloud"
title = "Exemple Cloud SAS"

[evidence]
grade = "E1"
date = 2026-05-04
source = "Its contract, annex 2"

[seat]
country = "FR"
grade = "E2"
date = 2026-05-04
source = "Register of companies"

[[sites]]
name = "Lille"
country = "FR"

[[sites]]
name = "Ashburn"
country = "US"

[[parents]]
name = "exemple-holding"
title = "Exemple Holding SA"
country = "FR"
share = 72.55

[[parents]]
name = "fund"
country = "US"
share = 27.45
ultimate = true

[[parents]]
name = "founders"
country = "FR"
of = "exemple-holding"
share = 100
ultimate = true

[[arguable]]
law = "CN"
reason = "An office there"

[[makers]]
name = "cpu-vendor"
country = "US"

[[updates]]
by = ["cpu-vendor"]
gated = true

[[qualifications]]
name = "SecNumCloud"
scope = "Compute offer, region Lille"
from = 2025-01-01
until = 2026-12-31

[does]
parts = ["store", "machines"]
"""


def sheet_with(parents: list[Parent]) -> HostSheet:
    evidence = Evidence(Grade.E1, date(2026, 1, 1), "stated")
    return HostSheet(
        operator="host",
        title="Host",
        seat=Place(name="seat", country="FR", evidence=evidence),
        sites=(),
        parents=tuple(parents),
        argued=(),
        makers=(),
        updates=(),
        qualifications=(),
        parts=(Part.STORE,),
        parts_evidence=evidence,
        tee=False,
    )


def parent(name: str, country: str, percent: float, *, of: str = "", **more: bool) -> Parent:
    told = {"control": False, "veto": False, "appoints": False, "ultimate": True, **more}
    return Parent(
        name=name,
        title=name,
        country=country,
        of=of,
        share=round(percent * 100),
        evidence=Evidence(Grade.E1, date(2026, 1, 1), "stated"),
        **told,
    )


def owns(name: str, percent: int, *, control: bool = False) -> Owns:
    evidence = Evidence(Grade.E1, date(2026, 1, 1), "stated")
    return Owns(evidence=evidence, parent=name, child="firm", share=percent * 100, control=control)


def test_a_sheet_is_read_whole() -> None:
    sheet = parse_sheet(SHEET.encode())

    assert sheet.operator == "Exemple Cloud"
    assert sheet.seat.evidence.grade is Grade.E2
    assert sheet.sites[0].evidence == Evidence(Grade.E1, date(2026, 5, 4), "Its contract, annex 2")
    assert [each.share for each in sheet.parents] == [7_255, 2_745, 10_000]
    assert sheet.updates[0].gated
    assert sheet.parts == (Part.STORE, Part.MACHINES)


def test_what_a_sheet_states_becomes_facts() -> None:
    sheet = parse_sheet(SHEET.encode())
    facts = list(facts_of_sheet(sheet, name="exemple"))

    laws = {(each.operator, each.law) for each in facts if isinstance(each, Subject)}
    assert {("exemple", "FR"), ("exemple", "US"), ("fund", "US"), ("cpu-vendor", "US")} <= laws
    assert [each.law for each in facts if isinstance(each, Arguable)] == ["CN"]
    held = settle_control(each for each in facts if isinstance(each, Owns))
    assert {(each.parent, each.child): each.control for each in held} == {
        ("exemple-holding", "exemple"): True,
        ("fund", "exemple"): False,
        ("founders", "exemple-holding"): True,
    }
    (push,) = updates_of_sheet(sheet, name="exemple", system="machines")
    assert isinstance(push, Push)
    assert push.gates == ("exemple",)
    assert set(people_of_sheet(sheet, name="exemple")) == {
        "exemple",
        "exemple-holding",
        "fund",
        "founders",
        "cpu-vendor",
    }


@pytest.mark.parametrize(
    ("old", "new", "said"),
    [
        ('country = "FR"\ngrade', 'country = "France"\ngrade', "two letters"),
        ('grade = "E2"', 'grade = "E7"', "seat: grade is none of E0, E1, E2, E3, E4"),
        ('date = 2026-05-04\nsource = "Reg', 'date = "May"\nsource = "Reg', "seat: date is not"),
        ("share = 72.55", "share = 72.555", "parents 1: share is not a percentage"),
        ("share = 72.55", "share = 172.55", "parents 1: share is not a percentage"),
        ("share = 72.55", "share = 92.55", "shares of the host are more than 100 %"),
        ('of = "exemple-holding"', 'of = "nobody"', "founders has a share of nobody"),
        ('by = ["cpu-vendor"]', 'by = ["gpu-vendor"]', "updates come by gpu-vendor"),
        ("until = 2026-12-31", "until = 2024-12-31", "ends before it begins"),
        ('parts = ["store", "machines"]', 'parts = ["fridge"]', "no such part"),
        ('[does]\nparts = ["store", "machines"]', "", "has no table does"),
        ('scope = "Compute offer, region Lille"', "", "qualifications 1 has no scope"),
        ('reason = "An office there"', 'reason = "x"\ncolour = "red"', "nobody knows, 'colour'"),
        ('name = "fund"', 'name = "exemple-holding"', "has a share of the host twice"),
    ],
)
def test_what_is_wrong_in_a_sheet_is_told(old: str, new: str, said: str) -> None:
    assert old in SHEET
    with pytest.raises(InvalidInput, match=r"wrong in store-a\.toml") as refused:
        parse_sheet(SHEET.replace(old, new, 1).encode(), name="store-a.toml")

    assert said in refused.value.message


def test_everything_that_is_wrong_is_told_at_once() -> None:
    wrong = SHEET.replace("72.55", '"most"').replace("2026-12-31", "soon").replace("E2", "E9")

    with pytest.raises(InvalidInput) as refused:
        parse_sheet(wrong.replace("soon", '"soon"').encode())

    assert refused.value.message.startswith("3 things are wrong in the fact sheet: ")


def test_a_sheet_that_is_no_toml_is_told_with_its_line() -> None:
    with pytest.raises(InvalidInput, match=r"is not TOML: .*line 2"):
        parse_sheet(b'format = "havre/v1/host-sheet"\noperator = \n')


def test_a_source_cannot_paint_over_the_screen() -> None:
    with pytest.raises(InvalidInput, match="source is not a line of text"):
        parse_sheet(SHEET.replace("Register of", "\\u001b[2JRegister of").encode())


@pytest.mark.parametrize(
    ("day", "standing"),
    [
        (date(2024, 12, 31), Standing.NOT_YET),
        (date(2025, 1, 1), Standing.IN_FORCE),
        (date(2026, 12, 31) - timedelta(days=90), Standing.IN_FORCE),
        (date(2026, 12, 31) - timedelta(days=89), Standing.ENDS_SOON),
        (date(2026, 12, 31), Standing.ENDS_SOON),
        (date(2027, 1, 1), Standing.ENDED),
    ],
)
def test_a_qualification_warns_ninety_days_before_its_end(day: date, standing: Standing) -> None:
    (qualification,) = parse_sheet(SHEET.encode()).qualifications

    assert qualification.standing(day) is standing


@pytest.mark.parametrize(
    ("parents", "shown"),
    [
        ([parent("state", "FR", 100)], Shown.WITHIN),
        ([parent("state", "FR", 76), parent("fund", "US", 24)], Shown.WITHIN),
        ([parent("state", "FR", 75.99), parent("fund", "US", 24.01)], Shown.BEYOND),
        ([parent("s", "FR", 61), parent("f", "US", 20), parent("g", "CN", 19)], Shown.WITHIN),
        ([parent("s", "FR", 60.99), parent("f", "US", 20), parent("g", "CN", 19.01)], Shown.BEYOND),
        ([parent("s", "FR", 99), parent("f", "US", 1, veto=True)], Shown.BEYOND),
        ([parent("s", "FR", 99), parent("f", "US", 1, appoints=True)], Shown.BEYOND),
        ([parent("s", "FR", 70)], Shown.NOT_SHOWN),
        ([parent("s", "FR", 90)], Shown.WITHIN),
        ([], Shown.NOT_SHOWN),
        ([parent("s", "FR", 80), parent("f", "US", 20)], Shown.WITHIN),
        ([parent("s", "FR", 100, ultimate=False)], Shown.NOT_SHOWN),
        ([parent("s", "CH", 30), parent("t", "FR", 70)], Shown.BEYOND),
    ],
)
def test_the_thresholds_of_secnumcloud_are_kept_to_the_hundredth(
    parents: list[Parent], shown: Shown
) -> None:
    assert ownership_table(sheet_with(parents)).verdict is shown


def test_an_indirect_share_is_the_product_along_each_chain() -> None:
    table = ownership_table(
        sheet_with(
            [
                parent("holding", "FR", 50, ultimate=False),
                parent("other", "DE", 50, ultimate=False),
                parent("fund", "US", 30, of="holding"),
                parent("state", "FR", 70, of="holding"),
                parent("fund", "US", 10, of="other"),
                parent("state", "FR", 90, of="other"),
            ]
        )
    )

    (line,) = table.lines
    assert (line.holder, line.direct, line.all_of_it) == ("fund", 0, Fraction(2_000))
    assert table.together == Fraction(2_000)
    assert table.verdict is Shown.WITHIN


def test_a_chain_that_leaves_the_union_twice_is_counted_together_once() -> None:
    table = ownership_table(
        sheet_with(
            [
                parent("state", "FR", 80),
                parent("fund", "US", 20, ultimate=False),
                parent("sovereign", "CN", 100, of="fund"),
            ]
        )
    )

    assert [(each.holder, each.all_of_it) for each in table.lines] == [
        ("fund", Fraction(2_000)),
        ("sovereign", Fraction(2_000)),
    ]
    assert table.together == 2_000


def test_a_circle_of_owners_is_refused() -> None:
    circle = [
        parent("a", "FR", 50, ultimate=False),
        parent("b", "FR", 50, of="a", ultimate=False),
        parent("a", "FR", 50, of="b", ultimate=False),
    ]

    with pytest.raises(InvalidInput, match="owns itself through others"):
        ownership_table(sheet_with(circle))


@given(
    st.lists(
        st.tuples(st.sampled_from(["FR", "US"]), st.integers(0, 33), st.integers(0, 33)),
        min_size=1,
        max_size=3,
    )
)
def test_shares_in_and_out_of_the_union_and_unstated_ones_make_a_whole(
    holders: list[tuple[str, int, int]],
) -> None:
    """Two floors of holders: what each chain carries is inside, outside, or nobody's."""
    parents = []
    inside = outside = 0
    for number, (country, percent, above) in enumerate(holders):
        parents.append(parent(f"p{number}", country, percent, ultimate=False))
        parents.append(parent(f"q{number}", "US", above, of=f"p{number}"))
        if country == "US":
            outside += percent * 100
        else:
            outside += percent * above
            inside += percent * (100 - above)
    missing = 100 * (100 - sum(percent for _, percent, _ in holders))

    table = ownership_table(sheet_with(parents))

    assert table.together == outside
    assert table.unstated == inside + missing


@pytest.mark.parametrize(
    ("percents", "controls"),
    [
        ([51, 49], [True, False]),
        ([50, 50], [False, False]),
        ([41, 40], [True, False]),
        ([41, 41], [False, False]),
        ([40, 10], [False, False]),
        ([45], [True]),
    ],
)
def test_control_is_more_than_half_or_presumed_above_forty(
    percents: list[int], controls: list[bool]
) -> None:
    held = [owns(f"p{number}", percent) for number, percent in enumerate(percents)]

    assert [each.control for each in settle_control(held)] == controls
