"""What a machine can see in outputs is found, named and counted; no cell is ever shown.

What it should see and does not is marked `xfail`: each mark is a known gap, and
its test fails on the day the gap is closed without the mark being taken away.
"""

from __future__ import annotations

import gzip
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from fakes.hub_outputs import sidecar
from fakes.pictures import png
from havre.domain.disclosure import check_outputs
from havre.domain.findings import Finding, Rule, Severity, broken_rules, must_findings
from havre.domain.permit import OutputRules
from havre.domain.table_rules import MAX_EQUAL_ROWS, MAX_UNCOUNTED_ROWS
from havre.domain.text_rules import MAX_TEXT_BYTES, MAX_TEXT_NUMBERS
from havre.formats.plain_csv import MAX_CELL, MAX_COLUMNS, MAX_ROWS, MAX_TITLE
from havre.formats.png import MAX_BYTES as MAX_FIGURE_BYTES

RULES = OutputRules(11, ("table", "figure", "text"))


def table(content: bytes, *, counts: tuple[str, ...] = ("n",), **said: Any) -> dict[str, bytes]:
    return {
        "outputs.json": sidecar({"name": "t.csv", "counts": list(counts), **said}),
        "t.csv": content,
    }


def figure(content: bytes) -> dict[str, bytes]:
    described: list[dict[str, Any]] = [
        {"name": "t.csv", "counts": ["n"]},
        {"name": "f.png", "kind": "figure", "underlying": "t.csv"},
    ]
    return {"outputs.json": sidecar(*described), "t.csv": b"g,n\na,20\n", "f.png": content}


def text(content: bytes, name: str = "t.txt") -> dict[str, bytes]:
    return {"outputs.json": sidecar({"name": name, "kind": "text"}), name: content}


def found(files: dict[str, bytes], rules: OutputRules = RULES) -> list[Finding]:
    return check_outputs(files, rules=rules)


def test_good_outputs_have_no_finding() -> None:
    assert found(table(b"g,n,rate\na,20,0.25\nb,0,0.00\n")) == []
    assert found(figure(png())) == []
    assert found(text(b"Nothing of note.\n")) == []


def test_a_small_count_is_named_and_counted_and_not_shown() -> None:
    (finding,) = found(table(b"g,n\na,20\nb,7\nc,3\n"))

    assert finding == Finding(
        "t.csv", Rule.SMALL_COUNT, "counts below 11", Severity.MUST, column="n", cells=2
    )
    assert finding.sentence == "t.csv, column n: counts below 11 (2 cells)"


def test_the_smallest_count_is_the_permits() -> None:
    content = table(b"g,n\na,20\nb,11\n")

    assert found(content) == []
    assert found(content, OutputRules(21, ("table",)))[0].said == "counts below 21"


DIALECT = "A table holds another separator than the comma: ; or | or a tab."
ONE_SPELLING = "A table is not in its one spelling: quotes only where they must be."
UNDECLARED = "has whole numbers below 11 and is not declared: count or measure?"
NAMED = "is named like a count and is not declared as one"
UNSEEN = "holds characters that nobody sees"
FORMULA = "a spreadsheet would run a cell"
PLANTED: list[tuple[dict[str, bytes], str]] = [
    (table(b"g,n\na,7.0\n"), "counts below 11"),
    (table(b"g,n\na,70e-1\n"), "counts below 11"),
    (table(b"g,n\na,-3\n"), "counts below 11"),
    (table(b"g,n\na, 3 \n"), "counts below 11"),
    (table("g,n\na,٣\n".encode()), "a count is no whole number"),
    (table(b"g,n\na,twelve\n"), "a count is no whole number"),
    (table(b"g,n\na,12.5\n"), "a count is no whole number"),
    (table(b"g,n\na,<2\n"), "a count is no whole number"),
    (table(b"g,n\na,00000012\n"), "counts or hidden cells are spelled in more ways than one"),
    (table(b"g,n\na,12.000\n"), "counts or hidden cells are spelled in more ways than one"),
    (table(b"g,n\na,secret\nb,SECRET\nc,90\n"), "counts or hidden cells are spelled in more ways than one"),
    (table(b"g,n\na,20\n", counts=("n", "m")), "a column is declared that is not there"),
    (table(b"g,n\na,20\n", measures=["m"]), "a column is declared that is not there"),
    (table(b"g,n,cases\na,20,300\n"), NAMED),
    (table(b"g,n\na,100\nb,60\nc,*\nall,165\n"), "one cell is hidden and a total gives it away"),
    (table(b"g,n\na\n"), "A table has a row of another length, or a title twice."),
    (table(b"g,g\na,b\n", counts=()), "A table has a row of another length, or a title twice."),
    (table(b"g,\na,b\n", counts=()), f"A column has no title, or one of more than {MAX_TITLE} characters."),
    (table(b""), f"A table has no row, or more than {MAX_ROWS}."),
    (table(b"g,n\n"), f"A table has no row, or more than {MAX_ROWS}."),
    (table(b"g,n\n" + b"a,20\n" * (MAX_ROWS + 1)), f"A table has no row, or more than {MAX_ROWS}."),
    (table(b"g,n\n\xff,20\n"), "A table is no CSV in UTF-8."),
    (table(b'g,n\n"a"b,20\n'), "A table is no CSV in UTF-8."),
    (table(b'g,n\n"a",20\n'), ONE_SPELLING),
    (table(b"g,n\r\na,20\r\n"), ONE_SPELLING),
    (table(b"g,n\na,20"), ONE_SPELLING),
    (table(b'g,n\n"a\nb",20\n'), ONE_SPELLING),
    (table("g,n\na\u2028b,20\n".encode()), UNSEEN),
    (table(b"dep;deaths\n84;3\n75;2\n", counts=()), DIALECT),
    (table(b"dep\tdeaths\n84\t3\n", counts=()), DIALECT),
    (table(b"g,n\na;=cmd(),20\n"), DIALECT),
    (table(b"dep,deaths\n84,30\n75,20\n01,NA\n", counts=()), NAMED),
    (table(b"dep,deaths\n84,3\n01,.5\n", counts=(), measures=["dep", "deaths"]), NAMED),
    (table(b"dep,what\n84,3\n01,NA\n", counts=(), measures=["dep"]), UNDECLARED),
    (table(b"g,n\n0123456789abcdef0123456789abcdef,20\n"), "holds what looks like pseudonyms"),
    (table(b"g,n\n0123456789abcdef,20\n"), "holds what looks like pseudonyms"),
    (table(b"g,n\n0123456789abcdef-fedcba9876543210,20\n"), "holds what looks like pseudonyms"),
    (table(b"g,n\nXYZ45678901234567,20\n"), "holds what looks like pseudonyms"),
    (text(b"person 0123456789abcdef0123456789ABCDEF\n"), "holds what looks like pseudonyms"),
    (text(b"a" * (MAX_TEXT_BYTES + 1)), "is too long for a person to read"),
    (text(bytes(range(256)) * 7), "is no text in UTF-8"),
    (text(gzip.compress(b"84,1938,F,E11,2022-03-01\n" * 100)), "is no text in UTF-8"),
    (text("hello\u200b\u202ethere\n".encode()), UNSEEN),
    (text(b"hello \n"), UNSEEN),
    (text(b"hello\n\n\n\nthere\n"), "holds empty lines that say nothing"),
    (text(b"So:\n  =cmd|' /C calc'!A0\n"), FORMULA),
    (text(b"| dep | deaths |\n|84|1|\n|75|2|\n", "t.md"), "holds a table: that is a file of its own"),
    (text(b"84;1938;F;E11\n"), "holds a table: that is a file of its own"),
    (text(b"84,1938,F,E11 2022-03-01\n" * MAX_TEXT_NUMBERS), "is rows of numbers and no text"),
    (text(b"{}", "t.json"), "is no file of a text"),
    (text(b"<svg/>", "t.svg"), "is no file of a text"),
    (figure(b"GIF89a"), "A picture is no PNG, or something follows its end."),
    (figure(png() + bytes(MAX_FIGURE_BYTES)), f"A picture is larger than {MAX_FIGURE_BYTES} bytes."),
]  # fmt: skip


@pytest.mark.parametrize(("files", "said"), PLANTED)
def test_what_may_not_leave_closes_the_way_out(files: dict[str, bytes], said: str) -> None:
    assert said in {finding.said for finding in must_findings(found(files))}


COUNT_TITLES = [
    "nombre", "total", "number of deaths", "deaths (2022)", "n-deaths", "nPatients", "décès", "freq",
    "subjects", "N2022", "deaths_2022n", "nb_patients", "NbDeces", "n", "Effectif", "at_risk",
]  # fmt: skip


@pytest.mark.parametrize("title", COUNT_TITLES)
def test_a_column_named_like_a_count_is_one_whatever_its_study_says(title: str) -> None:
    content = f"dep,{title}\nCorse,300\n".encode()

    undeclared = found(table(content, counts=()))
    denied = found(table(content, counts=(), measures=[title]))

    assert NAMED in {each.said for each in must_findings(undeclared)}
    assert NAMED in {each.said for each in must_findings(denied)}


@pytest.mark.parametrize("title", ["deaths_per_1000", "death rate", "person_years", "day", "taux"])
def test_a_rate_is_no_count(title: str) -> None:
    assert found(table(f"g,n,{title}\na,20,75\n".encode())) == []


def test_small_numbers_that_count_nobody_are_shown_to_checkers_and_close_nothing() -> None:
    findings = found(table(b"sex,n,rate\n1,20,7\n2,30,7.5\n", measures=["sex", "rate"]))

    assert must_findings(findings) == []
    said = "is declared to count nobody, and has whole numbers below 11"
    assert [each.sentence for each in findings] == [
        f"t.csv, column sex: {said} (2 cells) - please look",
        f"t.csv, column rate: {said} (1 cell) - please look",
    ]


def test_small_numbers_in_a_text_are_shown_to_checkers() -> None:
    (finding,) = found(text(b"Of 300 people 4 had died.\n"))

    assert (finding.severity, finding.cells) == (Severity.SHOULD, 1)


# ---------------------------------------------------------------- rows of people


def test_a_record_in_each_title_is_no_table() -> None:
    records = ",".join(f"p{each} 1938 F Corse" for each in range(MAX_COLUMNS + 1))

    assert must_findings(found(table(f"{records}\n".encode(), counts=())))
    assert must_findings(found(table(f"{records}\n{records}\n".encode(), counts=())))


def test_a_long_cell_is_no_cell() -> None:
    assert must_findings(found(table(b"g,n\n" + b"a" * (MAX_CELL + 1) + b",20\n")))


def test_a_constant_beside_each_person_counts_nobody() -> None:
    rows = "".join(f"{1930 + at % 70},E11,100\n" for at in range(MAX_EQUAL_ROWS + 1))

    findings = must_findings(found(table(f"born,icd,w\n{rows}".encode(), counts=("w",))))

    assert [each.said for each in findings] == ["a count is the same in every row"]


def test_a_long_table_is_looked_at_and_one_without_counts_stays() -> None:
    rows = b"Corse,%d\n" * (MAX_UNCOUNTED_ROWS + 1) % tuple(range(20, MAX_UNCOUNTED_ROWS + 21))

    counted = found(table(b"g,n\n" + rows))
    uncounted = found(table(b"g,share\n" + rows, counts=()))

    assert "is long: does every row count people?" in {each.said for each in counted}
    assert must_findings(counted) == []
    assert [each.rule for each in must_findings(uncounted)] == [Rule.PEOPLE]


# ------------------------------------------------------------------ survival

SURVIVAL = b"day,at_risk,deaths,alive\n0,270,0,1.0\n61,230,31,0.884\n183,190,23,0.789\n"


def survival(content: bytes, *counts: str) -> list[Finding]:
    return must_findings(found(table(content, counts=counts, measures=["day", "alive"])))


def test_a_survival_table_with_enough_events_in_each_interval_may_leave() -> None:
    assert survival(SURVIVAL, "at_risk", "deaths") == []


def test_a_survival_table_without_its_events_stays() -> None:
    """What was released once: who is at risk, times the fall of the curve, gave 5, 1 and 4."""
    content = (
        b"day,at_risk,alive\n0,269,1.0\n61,234,0.884\n122,208,0.826\n183,187,0.789\n"
        b"243,171,0.767\n304,160,0.762\n365,142,0.742\n"
    )

    (finding,) = survival(content, "at_risk")

    assert finding.rule is Rule.WORKED_OUT


@pytest.mark.parametrize("title", ["at_risk", "n.risk", "à risque", "cumulative events"])
def test_few_people_between_two_rows_are_a_small_count(title: str) -> None:
    content = f"day,{title},deaths\n0,270,0\n61,230,31\n183,225,20\n".encode()

    (finding,) = must_findings(found(table(content, counts=(title, "deaths"), measures=["day"])))

    assert (finding.column, finding.cells) == (title, 1)
    assert finding.said == "from row to row fewer than 11 come or go"


def test_a_count_that_only_falls_is_shown_to_checkers() -> None:
    """It may be sorted; it may also be people who leave one by one."""
    findings = found(table(b"g,n\na,60\nb,55\nc,50\nd,44\ne,40\n"))

    assert [(each.rule, each.severity) for each in findings] == [(Rule.WORKED_OUT, Severity.SHOULD)]


# --------------------------------------------------- what nobody sees, or runs


@pytest.mark.parametrize(
    "hidden",
    [
        "\U000e0070\U000e0038", "\ufe01", "\U000e0101", "\u3164", "\u2800", "\u180e", "\u034f",
        "\u200b", "\u202e", "\u00ad", "\u00a0", "\u2009", "\ufeff", "\u0301", "\u0430", "\uff21",
        "\x1b[2J", "\x00", " ",
    ],
)  # fmt: skip
def test_a_character_that_shows_nothing_or_another_letter_closes_the_way_out(hidden: str) -> None:
    in_a_cell = found(table(f"g,n\nCorse{hidden},20\n".encode()))
    in_a_title = found(table(f"g{hidden},n\nCorse,20\n".encode()))
    in_a_text = found(text(f"Corse{hidden}\n".encode()))
    described = found(table(b"g,n\na,20\n", title=f"Corse{hidden}"))

    for findings in (in_a_cell, in_a_title, in_a_text, described):
        assert must_findings(findings)


@pytest.mark.parametrize("cell", [" =HYPERLINK(1)", "\t=1+1", "＝1", "=1", "@a", "-1+cmd()", "+a"])
def test_what_a_spreadsheet_would_run_closes_the_way_out(cell: str) -> None:
    assert must_findings(found(table(f"g,n\n{cell},20\n".encode())))


def test_french_and_negative_numbers_may_leave() -> None:
    content = "région,n,change\nProvence-Alpes-Côte d'Azur,20,-1.5\nÎle-de-France,30,-\n"

    assert found(table(content.encode())) == []


def test_a_figure_without_its_table_stays() -> None:
    alone = {
        "outputs.json": sidecar({"name": "f.png", "kind": "figure", "underlying": "t.csv"}),
        "f.png": png(),
    }

    assert [each.said for each in found(alone)] == ["has no table with the points it shows"]


def test_a_kind_that_the_permit_does_not_name_stays() -> None:
    rules = {each.said for each in found(text(b"words\n"), OutputRules(11, ("table",)))}

    assert rules == {"the permit lets no text out"}


def test_files_and_their_description_must_be_the_same_files() -> None:
    files = table(b"g,n\na,20\n")
    files["secret.csv"] = b"g\n"
    rules = {(each.file, each.said) for each in found(files)}
    missing = {(each.file, each.said) for each in found({"outputs.json": files["outputs.json"]})}

    assert rules == {("secret.csv", "is not described")}
    assert missing == {("t.csv", "is described and is not there")}


def test_outputs_that_nothing_describes_stay() -> None:
    assert must_findings(found({"t.csv": b"g,n\na,20\n"}))


def test_pseudonyms_in_the_description_are_found() -> None:
    files = table(b"g,n\na,20\n", title="0123456789abcdef0123456789abcdef")

    assert [each.file for each in must_findings(found(files))] == ["outputs.json"]


# ------------------------------------------------------- against a naive reference

CELLS = st.one_of(
    st.integers(-30, 30).map(str),
    st.integers(0, 30).map(lambda n: f"{n}.0"),
    st.sampled_from(["", "*", "<11", "-", "12.5", "many", " 4 ", "+9", "007", "1e1"]),
)
MARKS = {"", "*", "x", "s", "-", "<11", "secret", "n.d."}


def naive(cells: list[str], least: int) -> tuple[int, int]:
    """Count small cells and strange ones, the slow and obvious way."""
    small = strange = 0
    for cell in (each.strip() for each in cells):
        try:
            number = float(cell)
        except ValueError:
            strange += cell.lower() not in MARKS
            continue
        if number != int(number):
            strange += 1
        elif 1 <= abs(number) <= least - 1:
            small += 1
    return small, strange


@given(st.lists(CELLS, min_size=1, max_size=8), st.integers(1, 20))
def test_small_and_strange_cells_are_those_a_naive_reader_finds(
    cells: list[str], least: int
) -> None:
    content = "g,n\n" + "".join(f"row,{cell}\n" for cell in cells)
    counted = {
        each.said: each.cells
        for each in found(table(content.encode()), OutputRules(least, ("table",)))
        if each.column == "n" and "hidden" not in each.said
    }

    small, strange = naive(cells, least)

    assert counted.get(f"counts below {least}", 0) == small
    assert counted.get("a count is no whole number", 0) == strange


@given(st.lists(st.integers(11, 500), min_size=2, max_size=6), st.integers(1, 10), st.data())
def test_one_hidden_cell_beside_its_total_is_always_found(
    shown: list[int], hidden: int, data: st.DataObject
) -> None:
    """Subtraction gives it back; wherever in the column total and hidden cell stand."""
    lines = [*map(str, shown), "*", str(sum(shown) + hidden)]
    mixed = data.draw(st.permutations(lines))
    content = "g,n\n" + "".join(f"row,{cell}\n" for cell in mixed)

    rules = {each.said for each in must_findings(found(table(content.encode())))}

    assert "one cell is hidden and a total gives it away" in rules


@given(st.lists(st.integers(0, 99_999), min_size=1, max_size=20))
def test_no_finding_ever_shows_a_cell(cells: list[int]) -> None:
    """The same table with other numbers gives the same words, but for how many cells."""
    marks = [f"{cell:05d}7777" for cell in cells]
    content = "g,n\n" + "".join(f"{mark},{cell % 11}\n" for mark, cell in zip(marks, cells))  # noqa: B905

    said = " ".join(each.sentence for each in found(table(content.encode())))

    assert not any(mark in said for mark in marks)


@given(st.binary(max_size=300))
def test_no_bytes_make_the_check_of_a_figure_fail_or_pass(content: bytes) -> None:
    assert must_findings(found(figure(content)))


# ------------------------------------------------------------------- known gaps


def gap(reason: str, raises: type[BaseException] = AssertionError) -> pytest.MarkDecorator:
    return pytest.mark.xfail(reason=reason, raises=raises, strict=True)


FOUND_NOW: list[Any] = [
    pytest.param(table(b"g,n\n185017501234567,20\n"), id="a social security number"),
    pytest.param(table(b"g,n\nQ2FmZWJhYmUxMjM0NTY3OA==,20\n"), id="a pseudonym in base64"),
    pytest.param(table(b"g,n\n=cmd(),20\n"), id="a formula"),
    pytest.param(table("g,n\na\u200bb,20\n".encode()), id="a character that nobody sees"),
    pytest.param(
        table(b"age,sex,dx\n" + b"43,1,E11\n" * 3000, counts=()), id="a row for each person"
    ),
]


@pytest.mark.parametrize("files", FOUND_NOW)
def test_what_hides_in_a_file_closes_the_way_out(files: dict[str, bytes]) -> None:
    assert must_findings(found(files))


MISSED: list[Any] = [
    pytest.param(
        table(b"g,n\na,100\nb,*\nc,*\ntotal,104\n"),
        id="two hidden cells whose total leaves 4",
    ),
    pytest.param(
        table(b"g,n\na,100\nb,60\ntotal,165\n"), id="a row left out, and a total that tells 5"
    ),
    pytest.param(
        table(b"g,n,pct\na,*,5.0\nb,80,95.0\n", measures=["pct"]),
        id="a share beside the count it was to hide",
    ),
]


@gap("the rules do not look for this yet")
@pytest.mark.parametrize("files", MISSED)
def test_what_should_close_the_way_out_and_does_not_yet(files: dict[str, bytes]) -> None:
    assert must_findings(found(files))


def test_a_very_long_number_is_a_finding_and_no_crash() -> None:
    assert must_findings(found(table(b"g,n\na," + b"9" * 400 + b"\n")))


def test_a_rate_with_all_its_digits_may_leave() -> None:
    assert found(table(b"g,n,rate\na,20,0.30000000000000004\n")) == []


# ---------------------------------------------------------- what an author is told


def secret_table(secret: bytes, rows: int = 255) -> dict[str, bytes]:
    """As many single cells in each column as a byte of the secret says."""
    titles = ",".join(f"n{at}" for at in range(len(secret)))
    lines = (",".join("1" if at < byte else "20" for byte in secret) for at in range(rows))
    content = "\n".join([titles, *lines, ""]).encode()
    return table(content, counts=tuple(titles.split(",")))


@given(st.lists(st.integers(1, 254), min_size=1, max_size=30).map(bytes))
def test_an_author_hears_the_same_of_every_secret(secret: bytes) -> None:
    """The machine's answer is a way out that nobody looks at: a file gave four thousand bytes."""
    told = broken_rules(found(secret_table(secret)))

    assert told == ["a count is below the permit's smallest"]


def test_all_that_an_author_can_hear_is_eight_rules() -> None:
    assert len(Rule) == 8
    everything = [Finding("t.csv", rule, "1943", column="1943", cells=1943) for rule in Rule]
    assert broken_rules(everything) == [rule.value for rule in Rule]


def test_what_only_checkers_should_look_at_is_not_told_to_the_author() -> None:
    assert broken_rules(found(table(b"sex,n\n1,20\n", measures=["sex"]))) == []


def test_a_name_that_would_move_a_checkers_screen_is_shown_harmless() -> None:
    content = "g,n\x1b[2J\u202e\na,3\n".encode()

    said = [each.sentence for each in found(table(content, counts=()))]

    assert any("column n?[2J?" in each for each in said)
    assert not any("\x1b" in each or "\u202e" in each for each in said)
