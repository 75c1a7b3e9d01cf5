"""Agencies are chosen a kind at a time, by one tap and without a script; only those that exist on the day are offered
and accepted. Nghệ An with 130 communes."""

from __future__ import annotations

from datetime import date
from pathlib import Path
from urllib.parse import urlencode

import pytest
from bs4 import BeautifulSoup
from ground.factory import CONFIG, at, row, rows
from ground.office import Office, open_office
from httpx import Response

from engine.agencies.directory_loading import expand_owners
from engine.agencies.directory_loading import load_directory as store_directory
from engine.agencies.groups import save_group
from engine.errors import FileRefused
from engine.files.directory import DirectoryFile, fold, load_directory
from engine.files.plan import PlanFile, directory_mistakes
from engine.files.yaml_reader import read
from engine.store.database import Database
from engine.store.records import AgencyGroup, Assignment, Duty, Plan
from workflows.run.installation import load_defaults

NOW = at("2026-03-02", "09:00")
COMMUNES = 130
DIRECTORY = CONFIG / "agencies/nghe-an-2025.yaml"
Pairs = list[tuple[str, str]]
LETTER = """ỦY BAN NHÂN DÂN
TỈNH NGHỆ AN
Số: 9/KH-UBND
Nghệ An, ngày 02 tháng 3 năm 2026
KẾ HOẠCH
CÔNG TÁC NĂM 2026
IV. TỔ CHỨC THỰC HIỆN
1. Sở Y tế
- Khám bệnh trước ngày 30/6/2026.
2. UBND các xã, phường, đặc khu
- Báo cáo kết quả trước ngày 30/9/2026.
"""


@pytest.fixture
def office(sqlite_database: Database, tmp_path: Path) -> Office:
    load_defaults(sqlite_database, NOW)
    with sqlite_database.write() as session:
        store_directory(session, load_directory(DIRECTORY), actor="cli:test", now=NOW)
    return open_office(sqlite_database, tmp_path, now=NOW)


def fields(page: str, form: str) -> Pairs:
    """What a browser would send of a form: boxes that are ticked, and what is typed."""
    found: Pairs = []
    for each in BeautifulSoup(page, "lxml").select(f"{form} input[name], {form} textarea[name]"):
        if each.get("type") not in ("checkbox", "radio") or each.has_attr("checked"):
            found.append((str(each["name"]), str(each.get("value", "") or each.get_text())))
    return found


class Hand:
    """Somebody who taps: each button or box is one tap, typing is none."""

    def __init__(self, office: Office, path: str) -> None:
        self.office, self.path, self.taps = office, path, 0
        self.page = office.get(path)

    def press(self, field: str, value: str, form: str = "main form", /, **typed: str) -> Response:
        self.taps += 1
        soup = BeautifulSoup(self.page.text, "lxml")
        assert soup.select_one(f'{form} button[name="{field}"][value="{value}"]'), f"no button {value}"
        found = [each for each in fields(self.page.text, form) if each[0] not in typed]
        body = urlencode([*found, *typed.items(), (field, value)])
        headers = {"content-type": "application/x-www-form-urlencoded"}
        action = str(soup.select_one(form)["action"])  # type: ignore[index]
        self.page = self.office.client.post(action, content=body, headers=headers)
        return self.page

    def ticked(self) -> list[str]:
        return [value for name, value in fields(self.page.text, "main form") if name == "owners"]


def test_130_communes_are_a_group_in_three_taps_and_one_is_left_out_by_another(office: Office) -> None:
    hand = Hand(office, "/admin/groups/new")
    hand.press("act", "all:xa", name="Cụm thi đua")
    assert len(hand.ticked()) == COMMUNES
    assert dict(fields(hand.page.text, "main form"))["name"] == "Cụm thi đua", "what was typed is there"
    answer = hand.press("act", "")
    assert answer.headers["location"] == "/admin/groups?said=saved"
    assert hand.taps <= 3
    (group,) = rows(office.context.database, AgencyGroup, name="Cụm thi đua")
    assert len(group.members) == COMMUNES
    again = Hand(office, f"/admin/groups/{group.id}")
    assert 'value="none:xa"' in again.page.text
    again.press("act", "none:xa")
    assert again.ticked() == []


def test_a_search_shows_what_has_the_words_and_keeps_what_is_chosen(office: Office) -> None:
    hand = Hand(office, "/admin/groups/new")
    hand.press("act", "all:so")
    before = set(hand.ticked())
    hand.press("act", "find", find="vinh")
    assert set(hand.ticked()) == before
    offered = BeautifulSoup(hand.page.text, "lxml").select('input[name="owners"]:not([checked])')
    assert 0 < len(offered) < 20
    assert all("vinh" in fold(each.find_parent("label").get_text()) for each in offered)  # type: ignore[union-attr]
    button = BeautifulSoup(hand.page.text, "lxml").select_one("button[value='all:xa']")
    assert button is not None
    assert f"Chọn cả {COMMUNES}" in " ".join(button.get_text().split()), "of all, not of those found"


def test_communes_of_a_plan_document_need_no_tap_and_exceptions_are_unticked(office: Office) -> None:
    began = office.client.post(
        "/plans/import",
        data={"token": office.token("/plans/import"), "text": LETTER},
        files={"x": (None, "")},
    )
    review = str(began.headers["location"])
    hand = Hand(office, review)
    asked = BeautifulSoup(hand.page.text, "lxml").select("fieldset.body")
    assert asked[0].select("input[value='kind:xa'][checked]")
    assert f"{COMMUNES} cơ quan" in " ".join(asked[0].get_text().split())
    hand.press("do", "save", "#review", short_title="Kế hoạch 9", sms_name="KH9", supervisor="Sở Y tế")
    assert hand.page.status_code == 303, BeautifulSoup(hand.page.text, "lxml").select_one("#problems")
    assert hand.taps <= 3
    owners = [each.owners for each in rows(office.context.database, Duty)]
    assert [len(each) for each in owners] == [1, COMMUNES]


def test_an_exception_of_a_kind_owes_nothing(office: Office) -> None:
    began = office.client.post(
        "/plans/import", data={"token": office.token("/plans/import"), "text": LETTER}, files={"x": (None, "")}
    )
    review = str(began.headers["location"])
    page = office.get(f"{review}/names/0")
    members = [each for each in fields(page.text, "main form") if each[0] == "member"]
    assert len(members) == COMMUNES
    left = members[0][1]
    typed = [each for each in fields(page.text, "main form") if each != ("member", left)]
    headers = {"content-type": "application/x-www-form-urlencoded"}
    office.client.post(f"{review}/names/0", content=urlencode(typed), headers=headers)
    assert "đã bớt 1" in " ".join(BeautifulSoup(office.get(review).text, "lxml").get_text().split())
    hand = Hand(office, review)
    hand.press("do", "save", "#review", short_title="Kế hoạch 9", sms_name="KH9", supervisor="Sở Y tế")
    owners = rows(office.context.database, Duty)[1].owners
    assert len(owners) == COMMUNES - 1
    assert left not in owners


def test_a_report_of_130_communes_is_asked_in_three_taps(office: Office) -> None:
    plan_id = running_plan(office)
    hand = Hand(office, f"/plans/{plan_id}/reports/new")
    hand.press("act", "none:so") if 'value="none:so"' in hand.page.text else None
    hand.taps = 0
    hand.press("act", "all:xa", due="15/4/2026", basis="Công văn 15/SYT-VP ngày 02/3/2026")
    assert len([each for each in hand.ticked() if each.startswith("ubnd-")]) >= COMMUNES
    assert "Chưa chọn" not in hand.page.text
    sure = hand.press("act", "preview")
    assert sure.status_code == 200
    done = hand.press("act", "do")
    assert done.status_code == 303, BeautifulSoup(done.text, "lxml").select_one(".wrong")
    assert hand.taps <= 3
    duty = rows(office.context.database, Duty)[-1]
    assert len(duty.owners) >= COMMUNES


def running_plan(office: Office) -> int:
    began = office.client.post(
        "/plans/import", data={"token": office.token("/plans/import"), "text": LETTER}, files={"x": (None, "")}
    )
    hand = Hand(office, str(began.headers["location"]))
    hand.press("do", "save", "#review", short_title="Kế hoạch 9", sms_name="KH9", supervisor="Sở Y tế")
    plan_id = int(row(office.context.database, Plan).id)
    office.post(f"/plans/{plan_id}/activate", page=f"/plans/{plan_id}/activate")
    return plan_id


def test_agencies_that_have_ended_are_neither_offered_nor_accepted(office: Office) -> None:
    plan_id, ended = running_plan(office), "so-ldtbxh"
    with office.context.database.write() as session:
        for file in ("nghe-an-2021", "nghe-an-2025"):
            store_directory(session, load_directory(CONFIG / f"agencies/{file}.yaml"), actor="cli:test", now=NOW)
    for path in ("/admin/groups/new", f"/plans/{plan_id}/duties/new", f"/plans/{plan_id}/reports/new"):
        offered = {str(each["value"]) for each in BeautifulSoup(office.get(path).text, "lxml").select("[name=owners]")}
        assert "so-y-te" in offered
        assert ended not in offered
    refused = office.post("/admin/groups/new", name="Nhóm cũ", aliases="", owners=["so-y-te", ended])
    assert refused.status_code == 422
    assert "Hôm nay không có: so-ldtbxh" in refused.text
    duty = {"text": "Báo cáo.", "due": "15/4/2026", "basis": "Công văn 1", "act": "do"}
    assert office.post(f"/plans/{plan_id}/duties/new", **duty, owners=[ended]).status_code in (400, 422)
    assert office.post(f"/plans/{plan_id}/duties/new", **duty, owners=["so-y-te"]).status_code == 303
    added = rows(office.context.database, Duty)[-1].id
    change = {"text": "Báo cáo.", "basis": "Công văn 1", "act": "do"}
    assert office.post(f"/duties/{added}/amend", **change, owners=["so-y-te", ended]).status_code in (400, 422)
    assignment = row(office.context.database, Assignment, duty_id=added)
    page = office.post("/assignments/bulk", act="transfer", id=str(assignment.id))
    to = {str(each["value"]) for each in BeautifulSoup(page.text, "lxml").select("[name=to] option")}
    assert "so-tai-chinh" in to
    assert ended not in to
    moved = office.post(
        "/assignments/bulk", act="transfer", id=str(assignment.id), to=ended, reason="Chuyển.", sure="1"
    )
    assert moved.status_code in (400, 422)


def test_a_group_is_its_members_on_the_day(office: Office) -> None:
    with office.context.database.write() as session:
        save_group(
            session, "", name="Hỗn hợp", aliases=[], members=["so-y-te", "ubnd-phuong-vinh-loc"], actor="cli", now=NOW
        )
        group = "nhom-hon-hop"
        assert expand_owners(session, [group], date(2026, 3, 2)) == ("so-y-te", "ubnd-phuong-vinh-loc")
        assert expand_owners(session, [group], date(2025, 6, 1)) == ("so-y-te",)
        assert len(expand_owners(session, ["xa-phuong-130"], date(2026, 3, 2))) == COMMUNES


def test_a_plan_is_refused_whose_owners_came_after_it() -> None:
    new = load_directory(DIRECTORY)
    commune = new.members("xa-phuong-130")[0]
    plan = (CONFIG / "plans/188-kh-ubnd-2021.yaml").read_text()
    text = plan.replace("owners: [so-ldtbxh]", f"owners: [{commune}]", 1)
    assert text != plan
    old = load_directory(CONFIG / "agencies/nghe-an-2021.yaml")
    parts = {"schema": old.format, "id": old.id, "name": old.name, "groups": old.groups}
    both = DirectoryFile.model_validate(parts | {"agencies": (*old.agencies, new.by_id[commune])})
    with pytest.raises(FileRefused) as refused:
        read(text, PlanFile, also=lambda plan: directory_mistakes(plan, both))
    assert "sau ngày ban hành" in str(refused.value)
