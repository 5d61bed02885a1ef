"""Cells of CSV files: none is a formula, and none takes long."""

import time
from datetime import UTC, datetime

import pytest

from waproject.web.csv_cells import cell, line_writer

# A text of a user may have so many characters.
LONGEST = 65_536


@pytest.mark.parametrize(
    ("text", "written"),
    [
        ("Hello", "Hello"),
        ("a-b", "a-b"),
        ("=1", "'=1"),
        (' "=1', "' \"=1"),
        ("a;=1", "a;'=1"),
        ("a\t\n=1", "a\t'\n=1"),
        ("\t=1", "''\t=1"),
        ("a\tb", "a\tb"),
        ("a\n;\t", "a\n;\t"),
    ],
)
def test_a_quote_stands_before_what_a_spreadsheet_would_calculate(text: str, written: str) -> None:
    assert cell(text) == written


@pytest.mark.parametrize("start", ["\t", "\r", "\n"])
def test_no_cell_begins_with_a_line_break_or_a_tab(start: str) -> None:
    assert cell(f"{start}a") == f"'{start}a"


@pytest.mark.parametrize(
    ("value", "written"),
    [(datetime(2026, 3, 1, 12, tzinfo=UTC), "2026-03-01T12:00:00+00:00"), (-5, -5), (None, None), (1.5, 1.5)],
)
def test_other_values_are_written_as_they_are(value: object, written: object) -> None:
    assert cell(value) == written


def test_a_line_has_its_cells_quoted_where_they_need_it() -> None:
    line = line_writer()
    assert [line(["a,b", "=1", 7]), line([None])] == ['"a,b",\'=1,7\r\n', '""\r\n']


@pytest.mark.parametrize("text", ["=" + "\t" * LONGEST, "-\n" + "\n \n" * (LONGEST // 3) + "a", "=;" * (LONGEST // 2)])
def test_a_user_s_longest_text_delays_an_export_by_no_second(text: str) -> None:
    began = time.process_time()
    cell(text)
    assert time.process_time() - began < 1
