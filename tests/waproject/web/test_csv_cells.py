"""Cells of CSV files: none is a formula, and none takes long."""

import time

import pytest

from waproject.web.csv_cells import cell

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


@pytest.mark.parametrize("text", ["=" + "\t" * LONGEST, "-\n" + "\n \n" * (LONGEST // 3) + "a", "=;" * (LONGEST // 2)])
def test_a_user_s_longest_text_delays_an_export_by_no_second(text: str) -> None:
    began = time.process_time()
    cell(text)
    assert time.process_time() - began < 1
