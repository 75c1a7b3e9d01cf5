"""Rows become objects by the names of their columns, in whatever order the statement has them."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

import pytest
from sqlalchemy import Column, Connection, MetaData, String, Table, create_engine, text

from engine.store.stored_rows import columns_for, object_of, objects, objects_of


@dataclass(frozen=True, kw_only=True)
class Line:
    number: str
    title: str
    days: int = 0


@pytest.fixture
def connection() -> Iterator[Connection]:
    database = create_engine("sqlite://")
    with database.connect() as found:
        yield found
    database.dispose()


def test_the_order_of_the_columns_does_not_matter(connection: Connection) -> None:
    result = connection.execute(text("SELECT 'T' AS title, '1' AS number"))
    assert objects(Line, result) == [Line(number="1", title="T")]


@pytest.mark.parametrize(
    "columns",
    ["'1' AS number", "'1' AS number, 'T' AS heading, 'T' AS title", "'1' AS number, 'T' AS title, 2 AS title"],
)
def test_a_statement_whose_labels_are_not_the_fields_is_an_error(connection: Connection, columns: str) -> None:
    with pytest.raises(TypeError, match="Line"):
        objects(Line, connection.execute(text(f"SELECT {columns}")))


def test_one_value_may_be_given_for_all_rows(connection: Connection) -> None:
    result = connection.execute(text("SELECT '1' AS number, 3 AS days UNION SELECT '2', 4"))
    assert objects(Line, result, title="T") == [Line(number=n, title="T", days=d) for n, d in (("1", 3), ("2", 4))]


def test_what_is_computed_from_a_row_wins_over_its_column(connection: Connection) -> None:
    row = connection.execute(text("SELECT '1' AS number, 'T' AS title, 5 AS hours")).one()
    assert object_of(Line, row, title=row.title * 2, days=row.hours) == Line(number="1", title="TT", days=5)


def test_rows_may_have_columns_for_others_beside(connection: Connection) -> None:
    rows = connection.execute(text("SELECT 5 AS hours, 'T' AS title, '1' AS number")).all()
    assert objects_of(Line, rows) == [Line(number="1", title="T")]
    assert objects_of(Line, []) == []


def test_two_columns_of_a_name_are_an_error(connection: Connection) -> None:
    row = connection.execute(text("SELECT '1' AS number, 'T' AS title, 'U' AS title")).one()
    with pytest.raises(TypeError, match="title"):
        objects_of(Line, [row])
    with pytest.raises(TypeError, match="title"):
        object_of(Line, row)
    assert object_of(Line, row, title="V") == Line(number="1", title="V")


def test_the_columns_of_a_table_for_a_dataclass_are_those_of_its_fields() -> None:
    source = Table("line", MetaData(), *(Column(name, String) for name in ("hours", "days", "title", "number")))
    assert [column.name for column in columns_for(Line, source)] == ["number", "title", "days"]


@pytest.mark.parametrize("computed", [{}, {"title": "T", "heading": "H"}])
def test_a_field_without_a_value_or_a_value_without_a_field_is_an_error(
    connection: Connection, computed: dict[str, str]
) -> None:
    with pytest.raises(TypeError, match="Line"):
        object_of(Line, connection.execute(text("SELECT '1' AS number")).one(), **computed)
