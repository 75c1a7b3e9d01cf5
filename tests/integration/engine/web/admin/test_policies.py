"""Policies in the browser: read in words, edited as text, previewed, saved; what is wrong is told by its line."""

from __future__ import annotations

import re
from pathlib import Path

import pytest
from bs4 import BeautifulSoup
from ground.factory import at, lay, policy, row, rows
from ground.office import Office, as_role, everything, open_office
from httpx import Response

from engine.admin.policy_editor import policy_text, read_policy
from engine.store.database import Database
from engine.store.records import Assignment, Event, LadderRecord, Plan, PolicyRecord
from engine.terms import EventKind

EDIT = "/admin/policies/default/edit"


@pytest.fixture
def office(sqlite_database: Database, tmp_path: Path) -> Office:
    lay(sqlite_database, now=at("2021-04-07"))
    return open_office(sqlite_database, tmp_path, now=at("2021-06-07", "10:00"))


def text(office: Office) -> str:
    return BeautifulSoup(office.get(EDIT).text, "lxml").select_one("#text").get_text().lstrip("\n")  # type: ignore[union-attr]


def sent(office: Office, typed: str, do: str = "preview", **more: str) -> Response:
    return office.post("/admin/policies", page=EDIT, text=typed, of="default", do=do, **more)


def saved(office: Office, typed: str) -> Response:
    """By the preview's own form."""
    form = BeautifulSoup(sent(office, typed).text, "lxml").select_one("#policy")
    fields = {str(each["name"]): str(each["value"]) for each in form.select("input")}  # type: ignore[union-attr]
    return office.client.post("/admin/policies", data=fields | {"do": "save"})


def words(page: str) -> str:
    return " ".join(BeautifulSoup(page, "lxml").main.get_text(" ").split())  # type: ignore[union-attr]


def test_the_text_that_is_edited_is_the_whole_policy() -> None:
    assert read_policy(policy_text(policy())) == policy()


def test_the_steps_are_drawn_in_their_order_around_the_due_date(office: Office) -> None:
    drawn = BeautifulSoup(office.get("/admin/policies/default").text, "lxml").select_one(".rungs svg")
    assert drawn is not None
    offsets = [each.get_text() for each in drawn.select(".pic-soft")]
    assert offsets[:5] == ["giao", "sau 3", "sau 4", "sau 5", "trước 10"]
    assert offsets[5:] == ["trước 3", "trước 1", "sau 1", "sau 3", "sau 7", "sau 15", "sau 16"]
    assert [each.get_text() for each in drawn.select(".pic-label")] == ["hạn", "lần 1", "lần 2", "lần 3"]
    assert len(drawn.select(".rl-chased")) == 3


def test_a_policy_is_read_in_words(office: Office) -> None:
    said = words(office.get("/admin/policies/default").text)
    assert "12 mốc: cơ quan được báo trước; bộ phận theo dõi sau 3 ngày; lãnh đạo cơ quan theo dõi sau 15" in said
    assert "Trước hạn 3 ngày làm việc đầu mối nhắc trước hạn" in said
    assert "Sau khi giao 3 ngày làm việc đầu mối nhắc xác nhận (chỉ khi chưa xác nhận; qua kênh khác" in said
    assert "Sau hạn 7 ngày làm việc đầu mối, người đứng đầu, bộ phận theo dõi đôn đốc lần 2" in said
    assert "Sau hạn 16 ngày làm việc lãnh đạo cơ quan ban hành báo cáo" in said
    assert "07:00–21:00" in said
    assert "12/KH-UBND" in said


def test_a_preview_says_what_changes_and_for_whom_and_saves_nothing(office: Office) -> None:
    before = everything(office.context.database)
    changed = (
        text(office)
        .replace("send_at: 07:30", "send_at: 08:15")
        .replace("rung: T-10, due: -10", "rung: T-12, due: -12", 1)
    )
    said = words(sent(office, changed).text)
    assert "Chính sách nhắc việc mặc định ( default ): 3 điểm thay đổi" in said
    assert "Thư gửi đi lúc 07:30 08:15" in said
    assert "Giao việc · trước hạn 12 ngày làm việc không có trước hạn 12 ngày làm việc" in said
    assert "5 việc đang mở giữ nguyên các mốc nhắc" in said
    assert "5 việc sẽ mở theo chính sách mới" in said
    assert everything(office.context.database) == before


def test_what_is_saved_is_in_the_log_and_open_assignments_keep_their_ladder(office: Office) -> None:
    changed = text(office).replace("rung: T-10, due: -10", "rung: T-12, due: -12", 1)
    ladders = rows(office.context.database, LadderRecord)
    answer = saved(office, changed)
    assert answer.headers["location"] == "/admin/policies/default?said=saved.0"
    assert "Đã lưu chính sách" in office.get(answer.headers["location"]).text
    assert "T-12" in str(row(office.context.database, PolicyRecord).body)
    assert rows(office.context.database, LadderRecord) == ladders
    assert len({each.ladder_id for each in rows(office.context.database, Assignment)}) == 2
    assert [each.actor for each in rows(office.context.database, Event, kind=EventKind.POLICY_LOADED)][-1] == "desk"


def test_going_back_to_an_earlier_policy_is_in_the_log_too(office: Office) -> None:
    first = text(office)
    saved(office, first.replace("send_at: 07:30", "send_at: 08:15"))
    saved(office, first)
    assert len(rows(office.context.database, Event, kind=EventKind.POLICY_LOADED)) == 3


def test_a_longer_horizon_says_that_it_opens_and_writes_at_once(office: Office) -> None:
    same = text(office).replace("send_at: 07:30", "send_at: 08:15")
    assert "Không thư nào được gửi ngay vì việc này" in words(sent(office, same).text)
    longer = text(office).replace("open_days_before: 92", "open_days_before: 200")
    assert "Lần xử lý tới sẽ mở ngay 5 việc và gửi thư giao việc" in words(sent(office, longer).text)


def test_a_longer_horizon_is_looked_at_by_the_next_pass(office: Office) -> None:
    assert row(office.context.database, Plan).next_open_at > office.clock.now
    saved(office, text(office).replace("open_days_before: 92", "open_days_before: 200"))
    assert row(office.context.database, Plan).next_open_at == office.clock.now


def test_a_new_id_is_a_new_policy(office: Office) -> None:
    changed = text(office).replace("id: default", "id: khan-cap")
    assert "Chính sách mới Chính sách nhắc việc mặc định ( khan-cap )" in words(sent(office, changed).text)
    saved(office, changed)
    assert {each.id for each in rows(office.context.database, PolicyRecord)} == {"default", "khan-cap"}
    assert "khan-cap" in office.get("/admin/policies").text


def test_the_digest_day_is_that_of_the_policy_that_sets_it_for_all(office: Office) -> None:
    """The other's weekday was shown and never used."""
    other = text(office).replace("id: default", "id: huyen").replace("digest_weekday: 0", "digest_weekday: 4")
    saved(office, other)
    assert "Tổng hợp tuần vào theo chính sách chung" in words(office.get("/admin/policies/huyen").text)
    assert "Tổng hợp tuần vào Thứ Hai" in words(office.get("/admin/policies/default").text)


def test_an_edit_over_somebody_elses_is_shown_anew(office: Office) -> None:
    mine = text(office).replace("send_at: 07:30", "send_at: 08:15")
    form = BeautifulSoup(sent(office, mine).text, "lxml").select_one("#policy")
    fields = {str(each["name"]): str(each["value"]) for each in form.select("input")}  # type: ignore[union-attr]
    saved(office, text(office).replace("send_at: 07:30", "send_at: 09:00"))
    answer = office.client.post("/admin/policies", data=fields | {"do": "save"})
    assert answer.status_code == 409
    assert "Thư gửi đi lúc 09:00 08:15" in words(answer.text)
    assert row(office.context.database, PolicyRecord).body["send_at"] == "09:00:00"


@pytest.mark.parametrize(
    ("old", "new", "line", "sentence"),
    [
        ("send_at: 07:30", "send_at: 25:00", r"send_at:", "không phải giờ"),
        ("channels: [email]", "channels: [mail]", r"channels:", "không có kênh «mail»"),
        ("due: -3, to: [coordinator]", "due: -3, to: [boss]", r"rung: T-3", "không có trong danh sách"),
        ("rung: T-3, due: -3", "rung: T-3", r"rung: T-3,", "đúng một trong «due» và «opened»"),
        ("due_soon_days", "due_son_days", r"due_son_days", "không có mục «due_son_days»"),
        ("id: default", "id: default\nid: default", r"^id", "viết hai lần"),
        ("may_stop: [reminder]", "may_stop: [overdue]", r"^", "việc quá hạn không ai được hoãn"),
    ],
)
def test_a_mistake_is_told_by_its_line_and_the_text_stays(
    office: Office, old: str, new: str, line: str, sentence: str
) -> None:
    typed = text(office).replace(old, new, 1)
    assert typed != text(office)
    answer = sent(office, typed)
    page = BeautifulSoup(answer.text, "lxml")
    assert answer.status_code == 422
    assert page.select_one("#text").get_text().lstrip("\n") == typed  # type: ignore[union-attr]
    assert page.select_one('#text[aria-invalid][aria-describedby="text-said"]')
    said = " ".join(page.select_one("#text-said li").get_text().split())  # type: ignore[union-attr]
    assert sentence in said
    number = int(re.search(r"Dòng (\d+)", said)[1])  # type: ignore[index]
    assert re.search(line, typed.splitlines()[number - 1])


@pytest.mark.parametrize("typed", ["", "   ", "x\x00y", "- - -", "a: *b", "x" * 70_000])
def test_what_is_no_policy_at_all_is_refused_in_words(office: Office, typed: str) -> None:
    answer = sent(office, typed)
    assert 400 <= answer.status_code < 500
    assert BeautifulSoup(answer.text, "lxml").select_one("#text-said")


def test_an_unknown_policy_is_not_found(office: Office) -> None:
    assert office.get("/admin/policies/none").status_code == 404
    assert office.get("/admin/policies/none/edit").status_code == 404


@pytest.mark.parametrize(("role", "agency"), [("monitor", "so-chinh"), ("head", "so-ban"), ("leadership", "tinh")])
def test_policies_are_the_administrators_alone(office: Office, tmp_path: Path, role: str, agency: str) -> None:
    somebody = as_role(office.context.database, tmp_path, role, agency)
    for path in ("/admin/policies", "/admin/policies/default", EDIT):
        assert somebody.get(path).status_code == 403
    assert somebody.post("/admin/policies", page="/account", text="x", do="save").status_code == 403


def test_the_page_says_how_much_keeps_the_old_ladder_and_moves_what_was_not_reminded(office: Office) -> None:
    longer = text(office).replace("{rung: T-10, due: -10,", "{rung: T-12, due: -12,")
    assert longer != text(office)
    saved(office, longer)
    shown = words(office.get("/admin/policies/default").text)
    assert "giữ các mốc nhắc cũ" in shown
    told = office.post("/admin/policies/default/ladders")
    assert re.search(r"said=moved[.]\d+$", told.headers["location"])
    assert "theo các mốc nhắc mới" in words(office.get(told.headers["location"]).text)
