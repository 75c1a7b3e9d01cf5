"""The content of letters is stored compressed, and read as it was written."""

from __future__ import annotations

import zlib

import pytest
from ground.factory import row
from hypothesis import given
from hypothesis import strategies as st
from sqlmodel import insert

from engine.store.database import Database, table
from engine.store.records import LetterBody
from engine.store.records.columns import pack, unpack

TEXT = "Kính gửi: Ủy ban nhân dân huyện A\n\nĐề nghị khẩn trương báo cáo 2 nhiệm vụ đã quá hạn.\n"


@given(st.text(), st.text())
def test_a_text_is_read_as_it_was_written(text: str, like: str) -> None:
    assert unpack(pack(text, like), like) == text


def test_what_was_compressed_without_common_words_is_read_too() -> None:
    assert unpack(zlib.compress(TEXT.encode()), like="anything") == TEXT


def test_another_text_beside_it_is_an_error_and_not_another_letter() -> None:
    with pytest.raises(zlib.error):
        unpack(pack("<p>A</p>" * 20, like=TEXT), like="another text")


def test_common_words_make_a_letter_small() -> None:
    assert len(pack(TEXT)) < len(zlib.compress(TEXT.encode())) / 2


def test_the_database_holds_bytes_and_the_record_text(database: Database) -> None:
    with database.write() as session:
        body = {"letter_id": 1, "subject": "Nhắc", "text": TEXT, "html": b""}
        session.connection().execute(insert(table(LetterBody)), [body])
        stored = session.connection().exec_driver_sql("SELECT text FROM letter_body").scalar_one()
    assert bytes(stored) == pack(TEXT)
    assert row(database, LetterBody, letter_id=1).text == TEXT
