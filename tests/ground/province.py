"""The province of the demonstration, Nghệ An of 2021.

``load_province`` loads it as ``dondoc init --example nghe-an-2021`` does.

``lived_copy`` is it on Thursday 24 June 2021 at 08:00, plan 188 a week after its half-year reports fell due: simulated
once per run with the live passes into one folder (database and Maildir), of which each test gets a copy. Overdue by
then: nine agencies that never responded. Not acknowledged: the same. To be accepted: all other reports.

``fill`` adds what the demonstration lacks (a requested extension, a declined duty, a returned report, a report with a
file, a draft, a deputy, an added duty, published figures, a plan not yet active), so that no page is empty; it returns
values for path parameters: ``{"assignment": 12, "plan": 1, "late": …}``.
"""

from __future__ import annotations

import shutil
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from datetime import date, datetime, timedelta
from pathlib import Path
from typing import Any

from ground.factory import Laid, at, begin, store
from ground.incoming.messages import keep_message
from ground.office import contact_of, join, letter_of
from ground.post import KEY
from ground.postgres import Ground
from ground.remembered import once
from sqlalchemy import select, update
from sqlmodel import Session

from config import DATA
from config.settings import DemoSettings, Settings
from engine.accounts import sign_in
from engine.accounts.signed_links import Link, Purpose
from engine.admin.first_steps import WeeklyLetter, arrival_keys, write_weekly_letter
from engine.admin.published_figures import publish_figures
from engine.agencies import feed_addresses, preferences
from engine.agencies.directory_loading import load_directory as store_directory
from engine.agencies.directory_loading import read_directory
from engine.assignments import lifecycle
from engine.assignments.lifecycle import ReportText
from engine.assignments.promise_rows import PromiseText
from engine.assignments.reports import drafts as report_drafts
from engine.assignments.reports import evidence
from engine.assignments.weekly_digest import week_of
from engine.correspondence.message_acts import Done
from engine.features.plan_import.drafts.reading import draft_of
from engine.features.plan_import.drafts.stored import make_draft
from engine.features.plan_import.importer import read_document
from engine.features.webhooks import subscriptions as webhooks
from engine.files.calendar import load_calendar_file
from engine.files.directory import load_directory
from engine.files.plan import PlanFile, load_plan
from engine.plans import amendments, loading
from engine.rules.targets import Allowed
from engine.store.database import Database, table
from engine.store.records import Assignment, Duty, Letter, Plan, Webhook, WebhookMessage
from engine.terms import LetterState, MessageAct, Outcome, WaitReason
from workflows.run.installation import load_defaults
from workflows.run.system import System, compose
from workflows.simulation.demo import prepare, stepper
from workflows.simulation.examples import Example, load_example


def load_province(database: Database, now: datetime) -> None:
    def load() -> None:
        load_defaults(database, now)
        load_example(database, Example.NGHE_AN_2021, now)

    once(database, ("province", now), load)


NOW = at("2021-06-24")
SILENT, MANY = "ubnd-huyen-tuong-duong", "ubnd-huyen-yen-thanh"
"""Districts with four overdue assignments, the first with nothing acknowledged."""
ALONE = "so-xay-dung"
"""A department with one assignment, overdue."""
STEPS = ("week", "week", "day", "day", "day")


def wired(folder: Path, *, demo: bool = False) -> System:
    """The System with a data folder, created by the composition root."""
    kind = DemoSettings if demo else Settings
    return compose(kind(_env_file=None, data_dir=folder, secret=KEY, prefect=False))  # type: ignore[call-arg]


def lived_copy(ground: Ground, folder: Path) -> Path:
    """A copy of the simulated folder at ``folder``/lived."""
    template = ground.folder / "lived"
    with ground.locked("lived.lock"):
        if not template.exists():
            half = ground.folder / "living"
            aside(lambda: _live(half))
            half.rename(template)
    return Path(shutil.copytree(template, folder / "lived"))


def aside(act: Callable[[], object]) -> None:
    """Run in a thread: Playwright's synchronous API keeps an event loop running in this one."""
    with ThreadPoolExecutor(1) as one:
        one.submit(act).result()


def _live(folder: Path) -> None:
    folder.mkdir()
    (folder / "secret").write_text(KEY)  # a demonstration signs with the key of its folder
    system = wired(folder, demo=True)
    try:
        prepare(system, Example.NGHE_AN_2021, at("2021-06-07"))
        step = stepper(system)
        for how in STEPS:
            step(how)
        assert system.clock() == NOW
    finally:
        system.database.dispose()


PERIOD = "2021-H1"
PNG = bytes.fromhex("89504e470d0a1a0a0000000d4948445200000001000000010806000000")
WHEN = {"now": NOW}


def fill(system: System) -> dict[str, object]:
    kept = evidence.store(system.settings.files, name="bien-ban.png", body=PNG)
    with system.database.write() as session:
        plan = int(session.connection().scalars(select(table(Plan).c.id)).one())
        found = _report_and_answer(session, plan, kept)
        found |= _publish_and_add(session, plan)
        found |= _review(session)
    webhook = _tell_others(system)
    coordinator = contact_of(system.database, SILENT)
    account = join(system.database, "coordinator", "ubnd-tp-vinh")
    with system.database.write() as session:
        report_drafts.save(session, MANY, plan, PERIOD, {"body-1": "Đang làm."}, actor="account:1", **WHEN)
        preferences.name_deputy(
            session,
            coordinator,
            email="phogiup@tuong-duong.example",
            phone="",
            label="Cấp phó",
            language="vi",
            valid_from=NOW.date(),
            valid_until=NOW.date() + timedelta(14),
            actor=f"contact:{coordinator}",
            **WHEN,
        )
        proposed = preferences.name_deputy(
            session,
            coordinator,
            email="duoc-de-nghi@tuong-duong.example",
            valid_from=NOW.date(),
            valid_until=NOW.date() + timedelta(14),
            by_link=True,
            actor=f"contact:{coordinator}",
            **WHEN,
        )
        feed_addresses.make_feed(session, SILENT, actor="cli", **WHEN)
        asked = WeeklyLetter(week=week_of(NOW.date()), tried_at=NOW.isoformat(), waits_since=NOW.date().isoformat())
        write_weekly_letter(session, asked)
        signed_in = sign_in.request_link(session, email="coordinator@ubnd-tp-vinh.example", **WHEN)
        about = _assignments(session, SILENT)[:3]
        done = Done(act=MessageAct.ACKNOWLEDGED, ids=tuple(about[:1]), citations=("IV.16.1",))
        file = {**kept.as_entry, "paper_number": "45/BC-UBND", "paper_on": "14/6/2021"}
        message = keep_message(
            session,
            SILENT,
            "Đã nhận. Gửi kèm báo cáo. Đề nghị Sở hướng dẫn thêm về biểu mẫu số 2 của mục IV.16.1.",
            about=about,
            supervisor_id="so-ldtbxh",
            waits=WaitReason.LEFT_OVER,
            done=[done],
            files=[file, {"name": "so-lieu.exe", "why": {"vi": "không nhận loại này", "en": "not accepted"}}],
            contact_id=coordinator,
            **WHEN,
        )
        evidence.keep(session, kept, agency_id=SILENT, actor="cli", **WHEN)
        queued = (
            session.connection()
            .scalars(select(table(Letter).c.id).where(table(Letter).c.state == LetterState.QUEUED))
            .first()
        )
    letter = letter_of(system.database, coordinator)
    return found | {
        "plan": plan,
        "period": PERIOD,
        "agency": SILENT,
        "digest": kept.digest,
        "sign_in": signed_in,
        "arrived": arrival_keys(system.signer, asked.week)[0],
        "queued": queued,
        "letter": letter,
        "message": message,
        "account": account,
        "webhook": webhook,
        "contact": coordinator,
        "seen": _link(system, Purpose.ACKNOWLEDGE, coordinator, str(letter)),
        "report": _link(system, Purpose.REPORT, coordinator, f"{plan}:{PERIOD}"),
        "proposed": _link(system, Purpose.DEPUTY, coordinator, str(proposed)),
        "pace": _link(system, Purpose.UNSUBSCRIBE, coordinator, "email"),
    }


def _tell_others(system: System) -> int:
    """Two webhooks: one that works, one that is down, with a message of each fate."""
    messages = table(WebhookMessage)
    with system.database.write() as session:
        told: dict[str, Any] = {"signer": system.signer, "allowed": Allowed(), "actor": "cli"}
        works, _ = webhooks.add(
            session, url="https://esb.tinh.example/dondoc", label="Trục liên thông LGSP", **told, **WHEN
        )
        down, _ = webhooks.add(session, url="https://bang-so-lieu.so-ldtbxh.example/su-kien", **told, **WHEN)
        lifecycle.acknowledge(session, _assignments(session, MANY)[3], actor="cli", **WHEN)
        webhooks.send_test(session, works, now=NOW - timedelta(minutes=1))
        webhooks.send_test(session, works, **WHEN)
        fates = (
            (LetterState.DELIVERED, "200", "ok"),
            (LetterState.EXPIRED, "503", "bảo trì"),
            (LetterState.QUEUED, "", ""),
        )
        ids = session.connection().scalars(select(messages.c.id).where(messages.c.webhook_id == works)).all()
        for message, (state, code, reply) in zip(sorted(ids), fates, strict=True):
            values = {"state": state, "code": code, "reply": reply, "attempts": int(bool(code))}
            session.connection().execute(update(messages).where(messages.c.id == message).values(**values))
        w = table(Webhook)
        why = {"failures": 3, "why": "timeout", "down_since": NOW, "retry_at": NOW + timedelta(minutes=4)}
        session.connection().execute(update(w).where(w.c.id == down).values(**why))
    return works


def _link(system: System, purpose: Purpose, contact_id: int, subject: str) -> str:
    return system.signer.token(
        Link(purpose=purpose, contact_id=contact_id, subject=subject, made_on=date(2021, 6, 1), until=date(2021, 7, 30))
    )


def _report_and_answer(session: Session, plan: int, kept: evidence.StoredFile) -> dict[str, object]:
    many, alone = _assignments(session, MANY), _assignments(session, ALONE)
    evidence.keep(session, kept, agency_id=MANY, actor="cli", **WHEN)
    partly = ReportText(
        outcome=Outcome.PARTLY,
        body="Đã xong 7 xã.",
        reason="Còn hai xã.",
        files=(kept.as_entry,),
        promise=PromiseText(on=date(2021, 7, 8)),
    )
    for each in many[:2]:
        lifecycle.report(session, each, partly, actor="cli", **WHEN)
    lifecycle.return_report(session, many[1], reason="Đề nghị ghi rõ hai xã còn lại.", actor="cli", **WHEN)
    lifecycle.decline(session, many[2], actor="cli", reason="Việc của Phòng Tư pháp.", **WHEN)
    year = _assignments(session, "bao-nghe-an", "2021-Q3")
    lifecycle.ask_extension(session, year[0], until=date(2021, 9, 30), reason="Chờ số liệu cơ sở.", actor="cli", **WHEN)
    lifecycle.chase(session, alone[0], actor="cli", **WHEN)
    return {"reported": many[0], "returned": many[1], "declined": many[2], "extension": year[0], "late": alone[0]}


def _publish_and_add(session: Session, plan: int) -> dict[str, object]:
    frozen = publish_figures(session, plan, PERIOD, date(2021, 6, 18), actor="cli", **WHEN)
    new = amendments.NewDuty(
        text="Báo cáo nhanh tình hình địa bàn.",
        owners=(SILENT, ALONE),
        due=date(2021, 7, 15),
        basis="Công văn 512/SLĐTBXH",
    )
    duty = amendments.add_duty(session, plan, new, actor="cli", **WHEN)
    other = load_plan(DATA / "plans/188-kh-ubnd-2021.yaml").model_copy(update={"number": "201/KH-UBND"})
    loaded = loading.load_plan(session, other, actor="cli", **WHEN)
    first = session.connection().scalars(select(table(Duty).c.id).where(table(Duty).c.plan_id == plan)).first()
    return {"frozen": frozen, "added": duty, "loaded": loaded, "duty": first}


UNDER_REVIEW = """ỦY BAN NHÂN DÂN
TỈNH NGHỆ AN
Số: 96/KH-UBND
Nghệ An, ngày 05 tháng 4 năm 2021
KẾ HOẠCH
CÔNG TÁC NĂM 2021
I. MỤC TIÊU
1. Nâng cao nhận thức của người dân.
2. Khám cho 100% học sinh trước ngày 16/6/2021.
3. Giảm số vụ vi phạm.
IV. TỔ CHỨC THỰC HIỆN
1. Sở Y tế chủ trì, phối hợp với các đơn vị thực hiện các nhiệm vụ sau:
- Khám bệnh trước ngày 30/6/2021.
- Cấp thuốc cho người dân.
2. Trung tâm Cứu hộ
- Trực cứu hộ.
3. Các huyện, thành, thị
- Báo cáo hằng quý.
4. Khám bệnh cho người dân (Sở Y tế chủ trì).
"""


def _review(session: Session) -> dict[str, object]:
    """A plan document under review, with names to settle and lines to look at."""
    directory = read_directory(session)
    read = read_document(UNDER_REVIEW.encode(), "ke-hoach-96.txt", directory=directory)
    draft = draft_of(read, directory)
    kind = next(n for n, each in enumerate(draft.unknown) if each.levels)
    made = make_draft(session, draft, actor="desk", **WHEN)
    return {"draft": made, "draft_duty": draft.duties[0].key, "draft_line": draft.left()[0], "draft_name": kind}


def _assignments(session: Session, agency_id: str, period: str = PERIOD) -> list[int]:
    a = table(Assignment)
    wanted = select(a.c.id).where(a.c.agency_id == agency_id, a.c.period == period).order_by(a.c.id)
    return [int(each) for each in session.connection().scalars(wanted)]


def plan_of_2025(database: Database) -> Laid:
    """Plan 188 as if issued for 2025, running since 25 November 2024 with 21 districts; the directory of 1 July 2025 is
    known already."""
    now, bodies = at("2024-11-25"), load_directory(DATA / "agencies/nghe-an-2021.yaml")
    file = load_plan(DATA / "plans/188-kh-ubnd-2021.yaml", bodies).model_dump(by_alias=True)
    file |= {"number": "1/KH-UBND", "year": 2025, "issued_on": date(2024, 11, 25)}
    days = tuple(load_calendar_file(DATA / "calendars/vn.yaml").calendar().exceptions.values())
    laid = begin(store(database, now=now, plan=PlanFile.model_validate(file), bodies=bodies, days=days), now=now)
    with database.write() as session:
        later = load_directory(DATA / "agencies/nghe-an-2025.yaml")
        store_directory(session, later, actor="cli:test", now=now)
    return laid
