"""Every page answers in both languages with what stands in the database, small enough, and asks nothing outside."""

from __future__ import annotations

import re
from collections.abc import Callable
from functools import cache
from pathlib import Path

import pytest
from bs4 import BeautifulSoup
from ground.databases import closing_database
from ground.factory import at, do
from ground.office import Office, open_office
from httpx import Response
from lxml.html import fromstring
from sqlalchemy import select, update

from engine.queries.system import letters
from engine.rules.situation import Action
from engine.store.database import Database, table
from engine.store.records import Assignment, Letter, LetterBody
from engine.terms import LetterState, State

PAGES = (
    "/",
    "/?plan=1&period=2021-H1&sort=late",
    "/overdue",
    "/overdue?plan=1",
    "/assignments",
    "/assignments?class=open_overdue&state=assigned&plan=1&agency=huyen-b&period=2021-H1&duty=IV.2.1",
    "/assignments?plan=&agency=&class=&state=&waiting=",
    "/assignments?waiting=declined",
    "/assignments/1",
    "/assignments/2",
    "/assignments/3",
    "/assignments/4",
    "/assignments/5",
    "/letters",
    "/letters?whole=true",
    "/letters?kind=chase&day=",
    "/letters?role=monitor&state=delivered&digest=true",
    "/letters/1",
    "/letters/1/html",
    "/agencies",
    "/agencies/so-ban",
    "/agencies/huyen-b?period=2021-H1",
    "/agencies/tinh",
    "/report/huyen-b/1/2021-H1",
    "/report/so-ban/1/2021-H1",
    "/plans",
    "/plans/1",
    "/health",
    "/queue",
    "/accept",
    "/accept?plan=1&period=2021-H1&agency=so-ban",
    "/accept?period=2021-Y",
    "/extensions",
    "/extensions?plan=1&period=2021-H1&agency=mat-tran&tick=all",
    "/plans/1/duties/new",
    "/plans/1/reports/new",
    "/duties/2/amend",
    "/plans/1/figures",
    "/plans/1/figures?period=2021-H1",
    "/leadership",
    "/leadership?plan=1&period=2021-H1",
    "/leadership?whole=true",
    "/year",
    "/year?plan=1&year=2021",
    "/admin",
    "/admin/calendar",
    "/admin/calendar?year=2027",
    "/admin/settings",
    "/admin/policies",
    "/admin/policies/default",
    "/admin/policies/default/edit",
    "/plans/load",
    "/plans/1/renew",
    "/plans/1/end",
    "/admin/calendar/preview?list=1/7/2021%20holiday%20Ba%CC%83o",
    "/admin/agencies",
    "/admin/agencies?q=huyen",
    "/admin/agencies/so-ban",
    "/admin/add-agency",
    "/admin/agencies/so-ban/aliases",
    "/admin/groups",
    "/admin/groups/new",
    "/admin/groups/cac-huyen",
    "/admin/agencies/so-ban/succession",
    "/admin/agencies/so-ban/contacts/add",
    "/admin/contacts/1",
    "/admin/agencies/so-ban/handover",
    "/admin/accounts",
    "/admin/accounts?q=x",
    "/admin/add-account",
    "/admin/log",
    "/admin/log?kind=reported&actor=contact&plan=1&agency=huyen-a&from=2021-06-01&to=2021-06-30",
)
ONLY_VIETNAMESE = re.compile(r"[ăâđêôơưạảấầẩẫậắằẳẵặẹẻẽếềểễệỉịọỏốồổỗộớờởỡợụủứừửữựỳỵỷỹ]", re.IGNORECASE)


Shown = Callable[[str, str], Response]


@pytest.fixture(scope="module")
def shown(copy_of_lived: Callable[[], Database], tmp_path_factory: pytest.TempPathFactory) -> Shown:
    """``shown(path, language)``: every page is asked for once in each language."""
    office = open_office(copy_of_lived(), tmp_path_factory.mktemp("shown"))
    return cache(lambda path, language: office.get(path, headers={"cookie": f"dondoc_language={language}"}))


@pytest.mark.parametrize("path", PAGES)
@pytest.mark.parametrize("language", ["vi", "en"])
def test_every_page_answers_in_its_language(shown: Shown, path: str, language: str) -> None:
    found = shown(path, language)
    assert found.status_code == 200
    assert len(found.content) < 50_000
    if not path.endswith("/html"):
        assert f'<html lang="{language}">' in found.text
        assert "<h1" in found.text
        assert "None" not in "".join(fromstring(found.text).itertext())


@pytest.mark.parametrize("path", [path for path in PAGES if not path.endswith("/html")])
def test_what_stands_on_an_english_page_in_vietnamese_is_marked_as_vietnamese(shown: Shown, path: str) -> None:
    """Names and texts of the documents stay as they are; every sentence of ours is in English."""
    page = BeautifulSoup(shown(path, "en").text, "lxml")
    for marked in page.select('[lang="vi"], option, blockquote, .brand, title, pre, article p'):
        marked.decompose()
    ours = " ".join(text for text in page.body.stripped_strings if ONLY_VIETNAMESE.search(text))  # type: ignore[union-attr]
    quoted = re.sub(r"[«“][^»”]*[»”]|\d+/KH-UBND", "", ours)
    assert not ONLY_VIETNAMESE.search(quoted), quoted


@pytest.mark.parametrize("path", [path for path in PAGES if not path.endswith("/html")])
def test_a_page_holds_no_script_or_style_nothing_from_outside_and_a_label_for_every_field(
    shown: Shown, path: str
) -> None:
    page = BeautifulSoup(shown(path, "vi").text, "lxml")
    assert not page.find_all(["script", "style"])
    assert not page.find_all(style=True)
    assert not [name for tag in page.find_all(True) for name in tag.attrs if name.startswith("on")]
    addresses = [
        tag.get("href") or tag.get("src") or tag.get("action")
        for tag in page.find_all(["a", "link", "img", "iframe", "form"])
        if not tag.find_parent(attrs={"aria-labelledby": "prefect"})  # its pages are another server's
    ]
    assert all(address.startswith(("/", "#")) for address in addresses if address)
    labelled = {label.get("for") for label in page.find_all("label")}
    for field in page.find_all(["input", "select", "textarea"]):
        if field.get("type") != "hidden":
            assert field.get("id") in labelled or field.find_parent("label"), field
    ids = [tag["id"] for tag in page.find_all(id=True)]
    assert len(ids) == len(set(ids))
    assert len(page.find_all("h1")) == 1


def test_the_language_is_chosen_by_address_and_kept_by_cookie(office: Office) -> None:
    assert '<html lang="en">' in office.get("/overdue?lang=en").text
    assert '<html lang="en">' in office.get("/plans").text
    assert '<html lang="vi">' in office.get("/plans?lang=vi").text
    assert '<html lang="vi">' in office.get("/plans?lang=xx").text


def test_the_board_s_title_is_what_is_late_and_since_when(office: Office) -> None:
    page = BeautifulSoup(office.get("/").text, "lxml")
    title, lead = (" ".join(page.select_one(where).get_text(" ").split()) for where in ("h1", ".lead"))  # type: ignore[union-attr]
    assert title == "3 việc của 3 cơ quan quá hạn ; tăng 3 so với báo cáo tuần 14/6/2021"
    assert lead.startswith("Quá hạn lâu nhất:")
    assert words_of(page, "#grid") == ["1 trong 4 việc đã hoàn thành theo báo cáo"]


def test_what_only_reports_call_done_is_said_so_until_they_are_accepted(lived: Database, tmp_path: Path) -> None:
    office = open_office(lived, tmp_path, open_desk=True)

    def said(path: str, place: str) -> bool:
        (words,) = words_of(BeautifulSoup(office.get(path).text, "lxml"), place)
        return "việc đã hoàn thành theo báo cáo" in words

    assert (said("/", "#grid"), said("/plans/1", "h1")) == (True, True)
    a = table(Assignment)
    with lived.read() as session:
        done = session.connection().scalars(select(a.c.id).where(a.c.state == State.REPORTED, ~a.c.request)).all()
    for each in done:
        do(lived, Action.ACCEPT, each, now=office.clock.now)
    assert (said("/", "#grid"), said("/plans/1", "h1")) == (False, False)


def test_every_count_of_the_board_opens_onto_as_many_rows(office: Office) -> None:
    board = BeautifulSoup(office.get("/").text, "lxml")
    counts = board.select(".key a")
    assert [each.get_text() for each in counts] == ["3", "1"]
    for each in counts:
        listed = BeautifulSoup(office.get(str(each["href"])).text, "lxml")
        assert len(listed.select(".list tbody tr")) == int(each.get_text())


def test_the_story_shows_the_arithmetic_of_a_moved_date_and_its_source(office: Office) -> None:
    page = office.get("/assignments/5").text
    assert "ngày 20/6/2021 là Chủ nhật, hạn chuyển sang thứ Hai, 21/6/2021" in page
    assert "Cấu hình của tỉnh, không phải của kế hoạch" in page
    assert "Chờ báo cáo của các cơ quan: 2/3" in " ".join(BeautifulSoup(page, "lxml").get_text().split())


def test_an_empty_system_says_on_every_page_how_things_come(sqlite_database: Database, tmp_path: Path) -> None:
    office = open_office(sqlite_database, tmp_path)
    for path in ("/overdue", "/assignments", "/letters", "/agencies", "/plans"):
        assert 'class="empty"' in office.get(path).text, path
    assert "0 trong 7 bước đã hoàn thành" in " ".join(office.get("/").text.split())


def test_a_letter_that_has_not_left_is_shown_as_it_would_leave_now(lived: Database, tmp_path: Path) -> None:
    with lived.write() as session:
        session.connection().execute(table(LetterBody).delete())
        session.connection().execute(update(table(Letter)).values(state=LetterState.QUEUED))
    page = open_office(lived, tmp_path, now=at("2021-04-07", "10:00")).get("/letters/1").text
    assert "Chưa gửi: đây là thư sẽ gửi nếu gửi ngay bây giờ." in page
    assert "Kính gửi" in page


def test_a_letter_whose_text_was_pruned_is_not_written_anew(lived: Database, tmp_path: Path) -> None:
    with lived.write() as session:
        session.connection().execute(table(LetterBody).delete())
    page = open_office(lived, tmp_path).get("/letters/1").text
    assert "đã được xóa sau thời gian lưu" in page
    assert "Kính gửi" not in page


def test_links_in_a_letter_are_masked_outside_the_demonstration(lived: Database, tmp_path: Path) -> None:
    real = open_office(lived, tmp_path)
    shown = open_office(lived, tmp_path, step=lambda how: None)
    for path in ("/letters/1", "/letters/1/html", "/api/v1/letters/1"):
        assert re.search(r"/l/…|/l/\\u2026", real.get(path).text), path
        assert not re.search(r"/[lr]/[A-Za-z0-9_.-]{20}", real.get(path).text), path
        assert re.search(r"/[lr]/[A-Za-z0-9_.-]{20}", shown.get(path).text), path


def test_without_its_database_a_page_says_so_in_words(tmp_path: Path) -> None:
    with closing_database(f"sqlite:///{tmp_path}/nothing.db") as database:
        office = open_office(database, tmp_path, open_desk=True)
        page, api = office.get("/"), office.get("/api/v1/board?lang=en")
    assert (page.status_code, api.status_code) == (503, 503)
    assert "dondoc db upgrade" in page.text
    assert api.json()["detail"].endswith("Run “dondoc db upgrade” first.")


def test_a_plan_says_what_was_promised_beside_who_is_furthest_behind(office: Office) -> None:
    page = BeautifulSoup(office.get("/plans/1").text, "lxml")
    behind = " ".join(page.select_one(".three .now").get_text(" ").split())  # type: ignore[union-attr]
    assert behind.startswith("Quá hạn lâu nhất")
    assert behind.endswith("1 đã hẹn, 0 lời hẹn đã qua Xem 3 việc quá hạn")


def words_of(page: BeautifulSoup, place: str) -> list[str]:
    return [" ".join(each.get_text().split()) for each in page.select(place)]


@pytest.mark.parametrize(
    ("language", "shown", "said"),
    [
        ("vi", 14, r"Từng thư: (\d+ thư)"),
        ("en", 14, r"Letter by letter: (\d+ letters)"),
        ("vi", 1, r"Từng thư: (\d+ thư), cả trước \d+/\d+/2021"),
        ("en", 1, r"Letter by letter: (\d+ letters), also before \d+/\d+/2021"),
    ],
)
def test_the_list_of_days_leads_to_as_many_letters_as_it_says(
    lived: Database, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, language: str, shown: int, said: str
) -> None:
    monkeypatch.setattr(letters, "DAYS_SHOWN", shown)
    office = open_office(lived, tmp_path, open_desk=True)
    days, whole = (
        BeautifulSoup(office.get(f"/letters{query}lang={language}").text, "lxml") for query in ("?", "?whole=true&")
    )
    (link,), (title,) = words_of(days, "main a[href='/letters?whole=true']"), words_of(whole, "h1")
    found = re.fullmatch(said, link)
    assert found, link
    assert title.startswith(f"{found[1]} ")
    assert int(found[1].split()[0]) == len(whole.select(".list tbody tr"))


def test_the_list_of_days_says_that_its_letters_may_have_several_matters(office: Office) -> None:
    page = BeautifulSoup(office.get("/letters").text, "lxml")
    assert words_of(page, ".lead")[0].endswith("Một thư có thể có nhiều nội dung.")
