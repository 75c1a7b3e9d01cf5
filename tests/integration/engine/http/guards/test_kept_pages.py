"""A page is given to its reader again as it was; after any act, through any door, nobody gets it as it was."""

from __future__ import annotations

import asyncio
import re
from collections.abc import Callable
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from ground.databases import POSTGRES_IS_DEEP
from ground.factory import Laid, begin, plan_file, store
from ground.office import NOW, OPENED, Office, as_role, contact_of, enter, open_office, token_in
from ground.post import KEY, post_office
from httpx import Response
from sqlalchemy import delete, update
from sqlmodel import SQLModel

from engine.accounts.signed_links import Purpose, Signer
from engine.assignments import lifecycle
from engine.assignments.lifecycle import ReportText
from engine.http.page_store import ENTRY_BYTES, PAGE_BYTES, KeptPage, PageStore, Snapshot
from engine.http.render import Templates
from engine.store import data_versions
from engine.store.data_versions import TOPICS, Topic, noting_reads, read_topics
from engine.store.database import Database, table
from engine.store.records import Account, Contact, UserSession
from notifications.inbound.answers import take_mail, take_sms
from notifications.inbound.message import MailProof, read_mail
from notifications.sms.replies import incoming
from workflows.run import passes

PAGES = (
    "/",
    "/overdue",
    "/leadership",
    "/leadership?plan=1",
    "/leadership?plan=1&whole=true",
    "/year?year=2021",
    "/plans",
    "/plans/1",
    "/assignments",
    "/assignments?class=open_overdue",
    "/agencies",
    "/agencies/so-chinh",
    "/agencies/huyen-b",
    "/letters",
    "/letters?whole=true",
    "/letters?agency=huyen-b",
    "/assignments/1",
    "/accept",
    "/extensions",
    "/promises",
    "/queue",
)
NOT_OF_LEADERSHIP = ("/letters", "/accept", "/extensions", "/promises", "/queue")


@pytest.fixture
def rendered(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """The names of the templates that are rendered."""
    names: list[str] = []
    really = Templates.render

    def rendering(self: Templates, name: str, *given: Any, **facts: Any) -> str:
        names.append(name)
        return really(self, name, *given, **facts)

    monkeypatch.setattr(Templates, "render", rendering)
    return names


def asked_until_kept(office: Office, page: str) -> Response:
    for _ in range(3):  # the first sets a cookie, the second makes the address known
        answer = office.get(page)
        assert answer.status_code == 200, page
    return answer


@pytest.mark.parametrize(
    ("page", "role"),
    [
        (page, role)
        for page in PAGES
        for role in ("administrator", "monitor", "leadership")
        if role != "leadership" or not page.startswith(NOT_OF_LEADERSHIP)
    ],
)
def test_a_page_is_made_once_and_given_again_for_one_statement(
    lived: Database, tmp_path: Path, counting: Any, rendered: list[str], page: str, role: str
) -> None:
    office = as_role(lived, tmp_path, role, "so-chinh")
    first = asked_until_kept(office, page)
    rendered.clear()
    with counting(lived) as sent:
        again = office.get(page)
    assert (again.content, again.headers["content-type"]) == (first.content, first.headers["content-type"])
    assert rendered == []
    assert [sql for sql in sent if not sql.startswith(("BEGIN", "SELECT data_version."))] == []
    assert again.headers["x-request-id"] != first.headers["x-request-id"]
    assert set(first.headers) == set(again.headers)


def test_its_form_still_works(fresh: Laid, tmp_path: Path) -> None:
    office = as_role(fresh.database, tmp_path, "administrator", "so-chinh")
    token = token_in(asked_until_kept(office, "/overdue").text)
    assert token == token_in(office.get("/overdue").text)
    duty = fresh.assignment("IV.2.1", "huyen-b")
    sent = office.client.post(f"/assignments/{duty}/cancel", data={"token": token, "reason": "Trùng nhiệm vụ."})
    assert sent.status_code == 303


@POSTGRES_IS_DEEP
def test_a_write_to_any_table_that_a_page_reads_makes_it_anew_and_to_no_other(
    fresh: Laid, tmp_path: Path, rendered: list[str]
) -> None:
    office = as_role(fresh.database, tmp_path, "administrator", "so-chinh")
    for page in PAGES:
        reads: data_versions.Reads = set()
        with noting_reads(reads):
            asked_until_kept(office, page)
        for name, topic in TOPICS.items():
            t = SQLModel.metadata.tables[name]
            column = next(each for each in t.c if not each.primary_key)
            with fresh.database.write() as session:
                written = session.connection().execute(update(t).values({column: column})).rowcount
            rendered.clear()
            office.get(page)
            kept = _made_of(office, page)
            assert bool(rendered) == bool(written and topic in kept), (page, name)


def _made_of(office: Office, page: str) -> frozenset[Topic]:
    tools = office.client._transport._tools  # type: ignore[attr-defined]
    return next(each.topics for key, each in tools.pages._kept.items() if each and _address(key) == page)


def _address(key: tuple[str, bytes, object]) -> str:
    return key[0] + (f"?{key[1].decode()}" if key[1] else "")


def test_another_reader_another_language_and_another_minute_have_a_page_of_their_own(
    fresh: Laid, tmp_path: Path, rendered: list[str]
) -> None:
    office = as_role(fresh.database, tmp_path, "administrator", "so-chinh")
    asked_until_kept(office, "/overdue")
    rendered.clear()
    other = as_role(fresh.database, tmp_path, "coordinator", "huyen-b")
    other.client._transport = office.client._transport
    assert other.get("/overdue").text != office.get("/overdue").text
    other.client.cookies.clear()
    assert other.get("/overdue").status_code in (303, 401)
    assert "Overdue" in office.get("/overdue?lang=en").text
    assert rendered.count("overdue.html") >= 2
    office.client.cookies.delete("dondoc_language")
    office.clock.now = NOW + timedelta(minutes=1)
    assert "08:01" in office.get("/overdue").text


def test_who_is_signed_out_or_may_no_more_is_refused_at_once(fresh: Laid, tmp_path: Path) -> None:
    office = as_role(fresh.database, tmp_path, "leadership", "tinh")
    asked_until_kept(office, "/leadership")
    with fresh.database.write() as session:
        session.connection().execute(update(table(Account)).values(role="coordinator", agency_id="huyen-b"))
    assert office.get("/leadership").status_code == 403
    asked_until_kept(office, "/agencies/huyen-b")
    with fresh.database.write() as session:
        session.connection().execute(delete(table(UserSession)))
    assert office.get("/agencies/huyen-b").status_code == 303


def test_a_kept_page_ends_with_its_reader_s_session(fresh: Laid, tmp_path: Path) -> None:
    """Within the minute for which it is kept."""
    office = as_role(fresh.database, tmp_path, "monitor", "so-chinh")
    began = office.clock.now
    office.clock.now = began + timedelta(hours=12, seconds=-20)
    asked_until_kept(office, "/overdue")
    office.clock.now = began + timedelta(hours=12)
    assert office.get("/overdue").headers["location"].startswith("/sign-in")


def test_what_is_refused_or_sets_a_cookie_or_is_no_page_of_these_is_not_kept(lived: Database, tmp_path: Path) -> None:
    office = as_role(lived, tmp_path, "administrator", "so-chinh")
    pages = office.client._transport._tools.pages  # type: ignore[attr-defined]
    for path in ("/plans/999", "/overdue?lang=en", "/health", "/letters/1", "/account", "/overdue?as=csv"):
        office.client.cookies.delete("dondoc_language") if "dondoc_language" in office.client.cookies else None
        for _ in range(3):
            office.get(path)
    assert [key for key, page in pages._kept.items() if page] == []


def test_a_page_that_reads_what_has_no_version_is_not_kept(
    lived: Database, tmp_path: Path, rendered: list[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    office = as_role(lived, tmp_path, "administrator", "so-chinh")
    monkeypatch.setitem(TOPICS, "signed_in", None)  # type: ignore[misc]
    read_topics.cache_clear()
    try:
        asked_until_kept(office, "/overdue")
        rendered.clear()
        office.get("/overdue")
    finally:
        monkeypatch.undo()
        read_topics.cache_clear()
    assert rendered == ["overdue.html"]


def test_where_the_database_is_away_the_page_says_so(lived: Database, tmp_path: Path) -> None:
    office = as_role(lived, tmp_path, "administrator", "so-chinh")
    asked_until_kept(office, "/overdue")
    lived.dispose()
    Path(lived.url.database or "").unlink()
    assert office.get("/overdue").status_code == 503


# --- whoever acts, by whichever door ----------------------------------------------------------------------------


def by_another_process(office: Office, laid: Laid) -> None:
    with Database(laid.database.url.render_as_string(hide_password=False)).write() as session:
        lifecycle.report(session, laid.assignment("IV.2.1", "huyen-b"), ReportText(), actor="contact:1", now=NOW)


def by_page(office: Office, laid: Laid) -> None:
    duty = laid.assignment("IV.2.1", "huyen-b")
    assert office.post(f"/assignments/{duty}/cancel", reason="Trùng nhiệm vụ.").status_code == 303


def by_api(office: Office, laid: Laid) -> None:
    opened = open_office(laid.database, Path(office.context.settings.data_dir), open_desk=True)
    duty = laid.assignment("IV.2.1", "huyen-b")
    answer = opened.client.post(f"/api/v1/assignments/{duty}/cancel", json={"reason": "Trùng nhiệm vụ."})
    assert answer.status_code < 400, answer.text


def by_link(office: Office, laid: Laid) -> None:
    contact = contact_of(laid.database, "huyen-b")
    path = office.link(Purpose.REPORT, contact, f"{laid.plan_id}:2021-H1")
    stranger = open_office(laid.database, Path(office.context.settings.data_dir))
    page = stranger.get(path)
    assert page.status_code == 200
    duty = laid.assignment("IV.2.1", "huyen-b")
    fields = {f"outcome-{duty}": "done", f"body-{duty}": "Đã xong.", "token": token_in(page.text)}
    sent = stranger.client.post(path, data=fields)
    assert sent.status_code == 303, sent.text


def by_mail(office: Office, laid: Laid) -> None:
    raw = (
        "From: coordinator@huyen-b.example\nTo: nhacviec@so.example\nSubject: Hỏi\nMessage-ID: <1@may.example>\n"
        "Content-Type: text/plain; charset=utf-8\n\nĐề nghị hướng dẫn biểu mẫu.\n"
    )
    with laid.database.write() as session:
        take_mail(session, read_mail(raw.encode()), MailProof(Signer(KEY), "mx.so.example"), NOW)


def by_sms(office: Office, laid: Laid) -> None:
    number = "+84912345678"
    with laid.database.write() as session:
        c = table(Contact)
        session.connection().execute(update(c).where(c.c.agency_id == "huyen-b").values(phone=number))
    asked_until_kept(office, "/agencies/huyen-b")
    with laid.database.write() as session:
        take_sms(session, "kannel", incoming("1", number, "DD DUNG"), NOW)


def by_tick(office: Office, laid: Laid) -> None:
    asyncio.run(passes.tick(laid.database, NOW + timedelta(days=40), post_office()))


def by_a_new_plan(office: Office, laid: Laid) -> None:
    begin(store(laid.database, now=OPENED, plan=plan_file(number="30/KH-UBND", sms_name="KH30")), now=OPENED)


DOORS = (by_another_process, by_page, by_api, by_link, by_mail, by_sms, by_tick, by_a_new_plan)


@POSTGRES_IS_DEEP
@pytest.mark.parametrize("act", DOORS, ids=lambda act: act.__name__)
def test_after_an_act_every_reader_sees_what_a_new_process_would_show(
    fresh: Laid, tmp_path: Path, act: Callable[[Office, Laid], None]
) -> None:
    actor = as_role(fresh.database, tmp_path, "administrator", "so-chinh")
    other = enter(open_office(fresh.database, tmp_path), 1)
    other.client._transport = actor.client._transport
    before = {page: _plain(asked_until_kept(other, page)) for page in PAGES}
    asked_until_kept(actor, "/")
    act(actor, fresh)
    after = {page: _plain(other.get(page)) for page in PAGES}
    new = open_office(fresh.database, tmp_path)
    new.client.cookies.update(other.client.cookies)
    assert after == {page: _plain(new.get(page)) for page in PAGES}
    assert before != after


def _plain(answer: Response) -> str:
    """A page without its form tokens."""
    assert answer.status_code == 200
    return re.sub(r'name="token" value="[^"]*"', "", answer.text)


# --- the store --------------------------------------------------------------------------------------------------


def test_the_store_is_bounded_in_bytes_and_what_was_unused_for_longest_goes() -> None:
    three = 3 * (ENTRY_BYTES + PAGE_BYTES + 2_001)
    pages, now = PageStore(most_bytes=three), Snapshot({Topic.WORK: ("a",)}, NOW)
    for name in "abc":
        pages.keep((name, b"", ()), _page(now, 2_000))
    assert pages.find(("a", b"", ()), now) is not None
    pages.keep(("d", b"", ()), _page(now, 2_000))
    assert [name for name in "abcd" if pages.find((name, b"", ()), now)] == ["a", "c", "d"]
    pages.keep(("e", b"", ()), _page(now, 20_000))
    assert len(pages._kept) == 0


def test_what_is_kept_holds_for_its_topics_alone_its_minute_and_its_time() -> None:
    now = Snapshot({Topic.WORK: ("a",), Topic.LETTERS: ("a",)}, NOW)
    page = _page(now, 10)
    assert page.holds(now)
    assert page.holds(Snapshot({Topic.WORK: ("a",), Topic.LETTERS: ("b",)}, NOW))
    assert not page.holds(Snapshot({Topic.WORK: ("b",), Topic.LETTERS: ("a",)}, NOW))
    assert not page.holds(Snapshot(now.versions, NOW + timedelta(minutes=1)))
    assert not _page(now, 10, until=0.0).holds(now)


def _page(now: Snapshot, size: int, until: float = float("inf")) -> KeptPage:
    return KeptPage(frozenset({Topic.WORK}), now, until, None, (), b"x" * size, None)


def test_a_statement_is_known_by_every_table_it_may_read() -> None:
    assert read_topics('SELECT "agency".id FROM agency JOIN letter ON 1, contact') == {Topic.DIRECTORY, Topic.LETTERS}
    assert read_topics("SELECT 1") == frozenset()
    assert read_topics("SELECT * FROM attempt") == {None}
    assert read_topics("SELECT data_version.slot, data_version.work FROM data_version") == frozenset()
