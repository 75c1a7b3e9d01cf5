"""The small line of time of an agency on the overdue list."""

from __future__ import annotations

from datetime import date

from lxml import etree

from engine.queries.work.overdue import Contacts, LateAgency
from engine.views.next_step import Span, dates_above, in_words, reminder_line, span_of

TODAY = date(2021, 6, 28)
DUE = date(2021, 6, 17)


def late(next_on: date | None = date(2021, 7, 8), **days: bool) -> LateAgency:
    """``days``: «d0614» -> whether the letter of 14 June was an escalation."""
    asked = {date(2021, int(day[1:3]), int(day[3:])): escalated for day, escalated in days.items()}
    contacts = Contacts(next_on=next_on)
    return LateAgency(id="a", name="A", total=1, since=DUE, late=7, rows=(), asked=asked, contacts=contacts)


def test_it_is_said_in_words_for_who_does_not_see_it() -> None:
    said = in_words(late(d0614=False, d0622=True, d0628=True))
    assert said.vi == "hạn 17/6/2021; đã nhắc 14/6/2021; đã gửi đôn đốc 22/6/2021, 28/6/2021; tiếp theo 08/7/2021"
    assert in_words(late(None)).en == "due 17/6/2021; no reminder was sent"


def test_all_lines_of_a_page_share_their_days() -> None:
    agencies = [late(d0603=False), late(None, d0614=False)]
    assert span_of(agencies, TODAY) == Span(date(2021, 6, 3), date(2021, 7, 8))
    assert span_of([], TODAY) == Span(TODAY, TODAY)


def test_reminders_chasings_and_what_comes_differ_by_shape() -> None:
    agency = late(d0614=False, d0622=True)
    drawn = str(reminder_line(agency, span_of([agency], TODAY), "vi"))
    assert [drawn.count(f'class="{each}"') for each in ("rl-sent", "rl-chased", "rl-next", "rl-due")] == [1, 1, 1, 1]


def test_above_the_lines_stand_the_days_that_have_room() -> None:
    agency = late(d0603=False, d0614=False, d0616=False, d0618=False, d0622=True, d0628=True)
    drawn = etree.fromstring(dates_above([agency], span_of([agency], TODAY), "vi"))
    said = {each.text: float(each.get("x", "")) for each in drawn}
    assert list(said) == ["hạn 17/6", "08/7", "22/6", "28/6", "03/6", "14/6"]
    assert said["03/6"] < said["14/6"] < said["hạn 17/6"] < said["22/6"] < said["28/6"] < said["08/7"]


def test_many_letters_take_one_path_a_kind_and_are_said_by_their_number() -> None:
    agency = late(**{f"d06{day:02}": day > 17 for day in range(1, 28)})
    drawn = str(reminder_line(agency, span_of([agency], TODAY), "vi"))
    assert (drawn.count("h0"), drawn.count("h8v8h-8z"), drawn.count("<path")) == (17, 11, 5)
    assert "đã nhắc 17 lần, từ 01/6/2021 đến 17/6/2021; đã gửi đôn đốc 10 lần, từ 18/6/2021" in in_words(agency).vi


def test_days_lie_in_their_order() -> None:
    span = Span(date(2021, 6, 3), date(2021, 7, 8))
    places = [span.place(day) for day in (span.first, DUE, TODAY, span.last)]
    assert places == sorted(places)
    assert (places[0], places[-1]) == (8, 232)
