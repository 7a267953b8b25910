"""What is told of a failed run is a message that the study may choose: it is short."""

from __future__ import annotations

import builtins
import math

import pytest
from hypothesis import given
from hypothesis import strategies as st

from havre.domain.job import MAX_TOLD_LINE, fault_of, told_time_s

CODE = {"study.py": b"import os\n" * 30, "more.py": b"x = 1\n" * 5_000}


def trace(line: int, name: str, *, file: str = "study.py") -> bytes:
    return f'  File "/code/{file}", line {line}, in main\n    secret\n{name}: secret\n'.encode()


def test_a_line_of_the_study_and_a_common_name_are_told() -> None:
    assert fault_of(trace(7, "KeyError"), code=CODE) == "line 7: KeyError"


@pytest.mark.parametrize(
    "words",
    [
        trace(31, "KeyError"),
        trace(0, "KeyError"),
        trace(185_017, "KeyError"),
        trace(7, "KeyError", file="more.py"),
        trace(7, "KeyError", file="havre/study/tables.py"),
        b"line 7: KeyError\n",
    ],
)
def test_a_line_that_the_study_does_not_have_is_not_told(words: bytes) -> None:
    assert "line" not in fault_of(words, code=CODE)


def test_a_study_of_a_million_lines_can_tell_no_more_lines_than_others() -> None:
    code = {"study.py": b"\n" * 1_000_000}

    told = {fault_of(trace(line, "KeyError"), code=code) for line in range(1, 9_999)}

    assert len(told) == MAX_TOLD_LINE + 1


@given(st.lists(st.sampled_from([b"\n", b"\r", b"\r\n", b"x", b""])).map(b"".join))
def test_a_study_has_as_many_lines_as_its_file(study: bytes) -> None:
    last = len(study.splitlines())
    told = {
        fault_of(trace(line, "KeyError"), code={"study.py": study}) for line in (last, last + 1)
    }

    assert told == ({f"line {last}: KeyError", "KeyError"} if last else {"KeyError"})


def test_all_that_a_failed_run_can_tell_fits_in_sixteen_bits() -> None:
    code = {"study.py": b"\n" * 10_000}
    names = [*vars(builtins), "Secret", "E1943"]
    kinds = {fault_of(trace(1, name), code=code) for name in names}
    times = {told_time_s(second / 10) for second in range(7_000)}

    assert len(kinds) == 16
    assert math.log2((MAX_TOLD_LINE + 1) * len(kinds) * len(times)) < 16


@given(st.binary(max_size=300))
def test_no_words_are_told_but_ours(words: bytes) -> None:
    told = fault_of(words, code=CODE)

    assert told.removeprefix(told.partition(": ")[0]).isprintable()
    assert len(told) < 40
