"""The forms and keys of codes, on codes that were published and on all that can be made."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from fakes.public_data import SHARED, public_data
from havre.adapters.codes.folder import read_code_system
from havre.snds.acts import plain_lpp, plain_nabm, read_ccam
from havre.snds.code_lists import CODE_LISTS
from havre.snds.diagnoses import (
    ASTERISK_CATEGORIES,
    category_of,
    is_diagnosis,
    is_manifestation,
    parents_of,
    plain_diagnosis,
)
from havre.snds.finess import finess_key, is_finess
from havre.snds.medicines import (
    atc_levels,
    cip7_of,
    cip13_of,
    is_cip7,
    is_cip13,
    is_ucd,
    key_of_seven,
    ucd13_of,
)

NOMENCLATURES = SHARED / "snds-schema" / "nomenclatures"
# Hospitals whose stays were sent twice: their numbers are in every guide to the SNDS.
DOUBLES = [
    "130780521",
    "130783236",
    "130783293",
    "130784234",
    "130804297",
    "600100101",
    "750041543",
    "750100018",
    "750100042",
    "750100075",
    "750100083",
    "750100091",
    "750100109",
    "750100125",
    "750100166",
    "750100208",
    "750100216",
    "750100232",
    "750100273",
    "750100299",
    "750801441",
    "750803447",
    "750803454",
    "910100015",
    "910100023",
    "920100013",
    "920100021",
    "920100039",
    "920100047",
    "920100054",
    "920100062",
    "930100011",
    "930100037",
    "930100045",
    "940100027",
    "940100035",
    "940100043",
    "940100050",
    "940100068",
    "950100016",
    "690783154",
    "690784137",
    "690784152",
    "690784178",
    "690787478",
    "830100558",
]
DIGITS = st.text("0123456789", min_size=6, max_size=6)
# What the lists themselves have beside their codes, or got wrong.
FORMLESS = {
    "IR_CCAM_V63": {"NT_09"},
    "IR_CIP_V": {"3328241", "3399649", "3523895", "3523903", "9999999"},
    "MS_CIM_V": {"IIIIII", "XXXXXX"},
}


@pytest.mark.parametrize("number", DOUBLES)
def test_a_published_finess_has_its_key_and_no_other(number: str) -> None:
    others = [number[:8] + digit for digit in "0123456789" if digit != number[8]]

    assert is_finess(number)
    assert not any(map(is_finess, others))
    assert finess_key(number[:8]) == number[8]


@pytest.mark.parametrize(
    "number", ["", "75010001", "7501000180", "A50100018", "2C0000014", "75 100018"]
)
def test_what_has_not_nine_signs_of_the_right_kind_is_no_finess(number: str) -> None:
    assert not is_finess(number)


@given(DIGITS)
def test_a_box_has_the_same_number_in_seven_and_in_thirteen_digits(six: str) -> None:
    seven = six + key_of_seven(six)

    assert is_cip7(seven)
    assert is_cip13(cip13_of(seven))
    assert cip7_of(cip13_of(seven)) == seven
    assert is_ucd(seven)
    assert is_ucd(seven.zfill(13))
    assert is_ucd(ucd13_of(seven))
    assert not is_cip13(ucd13_of(seven))


@given(DIGITS, st.integers(0, 12), st.integers(1, 9))
def test_one_wrong_digit_of_thirteen_is_noticed(six: str, place: int, by: int) -> None:
    right = cip13_of(six + key_of_seven(six))
    wrong = f"{right[:place]}{(int(right[place]) + by) % 10}{right[place + 1 :]}"

    assert not is_cip13(wrong)


def test_the_levels_of_a_substance_are_those_of_the_who() -> None:
    assert atc_levels("A10BA02") == ("A", "A10", "A10B", "A10BA", "A10BA02")
    assert [atc_levels(code) for code in ("A1", "a10", "A10BA2", "A10BA02 ", "")] == [()] * 5


def test_an_act_has_a_site_an_action_and_an_access() -> None:
    act = read_ccam(" deqp00340 ")

    assert act is not None
    assert (act.code, act.activity, act.phase) == ("DEQP003", "4", "0")
    assert (act.site, act.action, act.access) == ("DE", "Q", "P")
    assert [read_ccam(text) for text in ("DEQP03", "DEQP0036", "1EQP003", "")] == [None] * 4


@given(st.integers(0, 9999), st.integers(0, 4))
def test_an_act_of_biology_has_four_digits_however_it_is_padded(number: int, zeros: int) -> None:
    assert plain_nabm("0" * zeros + str(number)) == f"{number:04d}"


@pytest.mark.parametrize("text", ["", "123", "12345678", "11000A8", "1100029"])
def test_what_has_not_its_key_is_no_device(text: str) -> None:
    assert plain_lpp(text) == ""


def test_a_diagnosis_leads_to_its_category_whatever_stands_behind_it() -> None:
    for text in ("E11", "E11.9", "e119", "E119 ", "E11.90", "E11+0", "E11.9+12"):
        assert category_of(plain_diagnosis(text)) == "E11"
    assert [is_diagnosis(text) for text in ("E1", "11E", "E11+", "E119999", "")] == [False] * 5


def test_what_is_done_to_an_eye_by_diabetes_has_a_star_and_the_diabetes_a_dagger() -> None:
    assert is_manifestation(plain_diagnosis("H36.0*"))
    assert not is_manifestation(plain_diagnosis("E11.3†"))
    assert all(is_diagnosis(each) and len(each) == 3 for each in ASTERISK_CATEGORIES)


@public_data
def test_every_category_of_diseases_classified_elsewhere_has_a_star() -> None:
    labels = {
        each.code: each.label
        for each in read_code_system(NOMENCLATURES, "MS_CIM_V").codes.values()
        if len(each.code) == 3
    }
    marks = ("au cours", "maladies class", "affections class")
    said = {
        code
        for code, label in labels.items()
        if "ailleurs" in label and any(mark in label for mark in marks)
    }

    assert (len(said), len(ASTERISK_CATEGORIES)) == (79, 83)
    assert said <= ASTERISK_CATEGORIES
    assert ASTERISK_CATEGORIES - said == {"F00", "G46", "M07", "P75"}


@public_data
def test_every_parent_of_a_published_diagnosis_is_published_but_a_few() -> None:
    system = read_code_system(NOMENCLATURES, "MS_CIM_V")
    orphans = [
        code for code in system.codes if len(system.parents_of(code)) < len(parents_of(code))
    ]

    assert len(orphans) == 31


@public_data
def test_the_codes_of_a_published_list_have_its_form() -> None:
    """But for IR_PHA_R: the public folder has its description, and not the list."""
    without = {}
    for name, known in CODE_LISTS.items():
        if known.has_form is not None and name != "IR_PHA_R":
            codes = read_code_system(NOMENCLATURES, name).codes
            without[name] = {code for code in codes if not known.has_form(code)}

    assert len(without.pop("IR_CIM_V")) == 350
    assert {name: codes for name, codes in without.items() if codes} == FORMLESS
