"""How a list is ordered: a key, by which the URL may ask for it, -> what it orders by; «-key»: backwards."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import Any, TypeVar

from sqlalchemy import ColumnElement

T = TypeVar("T")
SqlOrders = Mapping[str, Sequence[ColumnElement[Any]]]
Orders = Mapping[str, Callable[[T], Any]]


def sql_order(orders: SqlOrders, sort: str) -> list[ColumnElement[Any]]:
    """ORDER BY expressions; none for ""."""
    expressions = orders[sort.removeprefix("-")] if sort else ()
    return [each.desc() if sort.startswith("-") else each.asc() for each in expressions]


def sorted_by_order(rows: Iterable[T], orders: Orders[T], sort: str) -> list[T]:
    """The rows in the order; as they are for ""."""
    return sorted(rows, key=orders[sort.removeprefix("-")], reverse=sort.startswith("-")) if sort else list(rows)
