"""A list, declared once: a ``Listing`` defines the column heads of its page, their sort orders, its cells (macros of a
template in ``web/templates/cells``), both export files and the printed page."""

from __future__ import annotations

from collections.abc import Callable, Collection, Sequence
from dataclasses import dataclass
from functools import cached_property, partial
from typing import Generic, TypeVar

from jinja2.environment import TemplateModule
from markupsafe import Markup

from engine.text import Text
from engine.views.spreadsheets import Kind, SheetColumn

T = TypeVar("T")


@dataclass(frozen=True)
class Head:
    """The head of a column on the page. ``key``: of its order in the query and in the URL. ``number``: right-aligned,
    and sorted with the largest first. ``cell``: the macro of its cells, if it shares it with others."""

    key: str
    words: Text
    number: bool = False
    cell: str = ""


@dataclass(frozen=True)
class Column(SheetColumn[T]):
    """A column of the files and, if it has a key, of the page, where a cell may show the values of its neighbours too.
    ``head``: the words on the page, if they differ from those in the files."""

    key: str = ""
    head: Text | None = None
    number: bool = False
    cell: str = ""

    @property
    def page_head(self) -> Head:
        return Head(self.key, self.head or self.heading, self.number, self.cell)


def number_column(value: Callable[[T, str], int | None]) -> Column[T]:
    """By which a row of a file is found again; paper, which nobody sorts or sends back, goes without."""
    return Column(Text("Mã phần việc", "Assignment no."), value, Kind.NUMBER, 9, on_paper=False)


@dataclass(frozen=True, kw_only=True)
class Listing(Generic[T]):
    """A list. Its constructor raises TypeError if the query has a sort order that no column head uses."""

    file_name: str
    """Plain ASCII, without date and ending."""
    title: Text
    columns: Sequence[Column[T]]
    """In the order of the files."""
    on_page: Sequence[str] = ()
    """The keys in the order of the page, if that is another."""
    groups: Sequence[Head] = ()
    """The heads of a page that shows the rows in groups, and sorts these."""
    sorts: Collection[str] = ()
    """The keys of the query's orders. A head without one does not sort."""
    own_sort: str = ""
    """The default order, if a head has it."""

    def __post_init__(self) -> None:
        keys = {head.key for head in self.heads}
        if idle := {*self.sorts, *filter(None, [self.own_sort.removeprefix("-")])} - keys:
            raise TypeError(f"{self.file_name}: no head asks for the order {', '.join(sorted(idle))}")

    @cached_property
    def heads(self) -> Sequence[Head]:
        """In the order of the page."""
        if self.groups:
            return self.groups
        shown = {column.key: column.page_head for column in self.columns if column.key}
        return [shown.pop(key) for key in self.on_page] + list(shown.values())

    def cells(self, macros: TemplateModule) -> Callable[..., Markup]:
        """The macros that render a row's cells: ``<key>_cell`` for each head; a macro shared by columns gets the key as
        its first argument."""
        each = [
            partial(getattr(macros, head.cell), head.key) if head.cell else getattr(macros, f"{head.key}_cell")
            for head in self.heads
        ]
        return lambda row, *more: Markup("".join([cell(row, *more) for cell in each]))

    def known_order(self, sort: str) -> str:
        """The order in the URL; "" for the default order and for unknown ones."""
        return sort if sort.removeprefix("-") in self.sorts and sort != self.own_sort else ""

    def direction(self, head: Head, sort: str) -> str:
        """The value of ``aria-sort`` for the head; "" if the list is sorted by another."""
        return {head.key: "ascending", f"-{head.key}": "descending"}.get(sort or self.own_sort, "")

    def turned(self, head: Head, sort: str) -> str:
        """The order after a click on the head: ascending first, for numbers descending first; then the reverse."""
        direction = self.direction(head, sort)
        down = direction == "ascending" or (head.number and not direction)
        asked = f"-{head.key}" if down else head.key
        return "" if asked == self.own_sort else asked

    def order_words(self, sort: str, language: str) -> str:
        """«cơ quan ▼»: the order that the URL names, in the first line of a file; "" for one that the list does not
        have."""
        key = sort.removeprefix("-")
        words = next((head.words.said(language) for head in self.heads if head.key == key and key in self.sorts), "")
        return words and words[0].lower() + words[1:] + " ▼" * sort.startswith("-")
