"""Cells that no spreadsheet takes for a formula and that come back to the letter."""

from __future__ import annotations

import csv
import io

from hypothesis import given
from hypothesis import strategies as st

from app.cells import guard, unguard
from app.exports.cells import Column, read_csv, write_csv

ANY_TEXT = st.text(alphabet=st.characters(exclude_categories=["Cs"]))
# Bad beginnings more often than chance would have them.
BAD_TEXT = st.builds(
    str.__add__, st.sampled_from(["=", "+", "-", "@", "'", "''", "\t", "\r", "\0", '"', "\n"]), ANY_TEXT
)
COLUMNS = (
    Column[tuple[str, int]]("name", "", lambda row: row[0], is_text=True),
    Column[tuple[str, int]]("number", "", lambda row: str(row[1])),
)


@given(ANY_TEXT | BAD_TEXT)
def test_a_guarded_cell_is_no_formula_and_comes_back(text: str) -> None:
    guarded = guard(text)
    assert not guarded.startswith(("=", "+", "-", "@", "\t", "\r", "\0"))
    assert unguard(guarded) == text


@given(st.lists(st.tuples(ANY_TEXT | BAD_TEXT, st.integers(-9, 9)), max_size=8))
def test_a_table_comes_back_to_the_letter(rows: list[tuple[str, int]]) -> None:
    stream = io.StringIO(newline="")
    assert write_csv(rows, COLUMNS, stream) == len(rows)
    stream.seek(0)
    read = [(row["name"], int(row["number"])) for row in read_csv(stream, COLUMNS)]
    assert read == rows


def test_numbers_are_left_alone() -> None:
    stream = io.StringIO()
    write_csv([("-x", -104)], COLUMNS, stream)
    assert stream.getvalue() == "name,number\n'-x,-104\n"


def test_lines_end_with_lf_and_quotes_stand_only_where_needed() -> None:
    stream = io.StringIO()
    write_csv([('a "b", c', 1), ("plain name", 2), ("two\nlines", 3), ("bare\rCR", 4)], COLUMNS, stream)
    assert stream.getvalue() == 'name,number\n"a ""b"", c",1\nplain name,2\n"two\nlines",3\n"bare\rCR",4\n'
    assert [row[0] for row in csv.reader(io.StringIO(stream.getvalue(), newline=""))][4] == "bare\rCR"
