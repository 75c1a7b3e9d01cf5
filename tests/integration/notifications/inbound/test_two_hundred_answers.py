"""Two hundred answers in the words of offices, by ten mail programs, measured against what a careful clerk would do
with each (``tests/data/answers``): acted right, acted wrong, lost."""

from __future__ import annotations

import asyncio
import re
from collections.abc import Iterator, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass, replace
from datetime import date
from email import message_from_bytes, policy
from io import BytesIO
from pathlib import Path

import docx
from ground.factory import Laid, at, directory, item, lay, plan_file, swept
from ground.incoming.mail_programs import BY_PROGRAM, Reply
from ground.paths import DATA
from ground.post import KEY, LetterBox, post_office
from sqlalchemy import select
from sqlmodel import Session

from engine.accounts.signed_links import Signer
from engine.correspondence.received_files import receive_file
from engine.store.database import Database, table
from engine.store.records import Assignment, Duty, Event, Extension, IncomingMessage, Promise, ThreadEntry
from engine.terms import EventKind
from notifications.contract.channel import Fate, Outcome, Outgoing
from notifications.delivery import deliver
from notifications.email.mime import Sender, compose
from notifications.inbound import answers
from notifications.inbound.message import read_mail
from notifications.inbound.proof import MailProof
from notifications.letters.renderer import LetterRenderer, RendererSettings

SENT, ANSWERED = at("2021-06-03", "07:30"), at("2021-06-07", "08:00")
READERS = {1: "coordinator@so-ban.example", 3: "coordinator@huyen-a.example"}
PROOF = MailProof(Signer(KEY), "mx.so.example")
LEAST_RIGHT = 195
"""README says so: the other five say something beside, and are left to a person."""


@dataclass(frozen=True)
class Labelled:
    """One line of the file. ``label``: what has to come of it, «file …» apart."""

    number: int
    program: str
    duties: int
    label: frozenset[str]
    files: tuple[str, ...]
    text: str


def labelled() -> Iterator[Labelled]:
    program, number = "", 0
    for line in (DATA / "answers" / "answers.txt").read_text().splitlines():
        if line.startswith("## "):
            program = line[3:]
        elif re.match(r"[13] \| ", line):
            number += 1
            duties, label, text = (part.strip() for part in f"{line} ".split(" | ", 2))
            parts = [part.strip() for part in label.split(",")]
            files = tuple(part[5:] for part in parts if part.startswith("file "))
            said = frozenset(part for part in parts if not part.startswith("file "))
            yield Labelled(number, program, int(duties), said, files, text.replace("⏎", "\n"))


class _Relay(LetterBox):
    def __init__(self) -> None:
        super().__init__()
        self.raw: dict[str, bytes] = {}

    async def send(self, letter: Outgoing) -> Outcome:
        message_id, self.raw[letter.to] = compose(letter, Sender("nhacviec@so.example", "Theo dõi nhiệm vụ"))
        return Outcome(fate=Fate.ACCEPTED, receipt=message_id)


def _begun(database: Database) -> tuple[int, dict[int, bytes]]:
    """One agency with a duty and one with three, reminded ten working days before the due date; the raw letters. Their
    names are those that writers call their office by."""
    duty = {"text": "Tổng hợp, báo cáo kết quả.", "cadence": ["half_year"], "rule": "gui-so"}
    three = item(2, "huyen-a") | {"duties": [{"citation": f"IV.2.{n}"} | duty for n in (1, 2, 3)]}
    offices = directory(
        so_ban={"names": [{"name": "Sở Tư pháp"}], "aliases": ["UBND xã Nậm Cắn"]}, huyen_a={"aliases": ["Sở Tư pháp"]}
    )
    laid = lay(database, now=at("2021-04-07"), plan=plan_file(items=(item(1, "so-ban"), three)), bodies=offices)
    relay = _Relay()
    renderer = LetterRenderer(Signer(KEY), RendererSettings("https://theodoi.so.example", reply_domain="so.example"))
    for now in (at("2021-04-07"), SENT):
        swept(database, now)
        relay.raw.clear()
        office = replace(post_office(relay), channels={"email": relay}, renderer=renderer)
        asyncio.run(deliver(database, now, office))
    return laid.plan_id, {duties: relay.raw[mailbox] for duties, mailbox in READERS.items()}


def _file(name: str) -> bytes:
    if name.endswith(".pdf"):
        return b"%PDF-1.4\n%%EOF\n"
    if name.endswith(".jpg"):
        return b"\xff\xd8\xff\xe0" + bytes(60_000)
    out = BytesIO()
    docx.Document().save(out)
    return out.getvalue()


def _raw(each: Labelled, letters: dict[int, bytes]) -> bytes:
    sender = READERS[each.duties]
    domain = sender.partition("@")[2]
    reply = Reply(
        letter=message_from_bytes(letters[each.duties], policy=policy.default),
        sender=sender,
        text=each.text,
        number=each.number,
        files=[(name, _file(name)) for name in each.files],
        authenticated=f"mx.so.example; dmarc=pass header.from={domain}",
    )
    return BY_PROGRAM[each.program](reply)


def _happened(session: Session, each: Labelled) -> set[str]:
    """What the answer did, in the words of the labels."""
    a, d = table(Assignment), table(Duty)
    query = select(a.c.id, d.c.citation).join(d, d.c.id == a.c.duty_id)
    query = query.where(a.c.agency_id == READERS[each.duties].partition("@")[2].removesuffix(".example"))
    own = session.connection().execute(query.where(a.c.period == "2021-H1")).all()
    cited = {row.id: "" if each.duties == 1 else f" {row.citation}" for row in own}
    found = set[str]()
    connection, event = session.connection(), table(Event)
    pressed = set(connection.scalars(select(event.c.assignment_id).where(event.c.kind == EventKind.ACKNOWLEDGED)))
    if len(pressed) == len(own):
        found.add("ack")
    found |= {f"ack{cited[assignment_id]}" for assignment_id in pressed if len(pressed) < len(own)}
    for row in connection.execute(select(table(Extension))):
        found.add(f"ext {_day(row.until)}{cited[row.assignment_id]}")
    for row in connection.execute(select(table(Promise))):
        found.add(f"late {_day(row.promised_on)}{cited[row.assignment_id]}")
    for row in connection.execute(select(event).where(event.c.kind == EventKind.DECLINED)):
        found.add(f"not-ours{cited[row.assignment_id]}")
    for row in connection.execute(select(table(ThreadEntry))):
        found.add({"difficulty": "kk", "question": "hoi"}[row.kind])
    return found


def _day(day: date) -> str:
    return f"{day.day}/{day.month}"


@dataclass
class Tally:
    right: int = 0
    wrong: tuple[str, ...] = ()
    lost: tuple[str, ...] = ()
    not_acted: tuple[str, ...] = ()


class _Undo(Exception):
    pass


def _measure(laid: Laid, letters: dict[int, bytes], folder: Path) -> Tally:
    tally = Tally()
    for each in labelled():
        mail = read_mail(_raw(each, letters))
        files = [receive_file(folder, one.name, one.body) for one in mail.files]
        with suppress(_Undo), laid.database.write() as session:
            answers.take_mail(session, mail, PROOF, ANSWERED, files)
            kept = session.connection().execute(select(table(IncomingMessage))).one()
            _judge(tally, each, _happened(session, each), waits=kept.waits is not None, files=kept.files)
            raise _Undo
    return tally


def _judge(
    tally: Tally, each: Labelled, happened: set[str], *, waits: bool, files: Sequence[Mapping[str, object]]
) -> None:
    """«ask» and «read» ask for nothing but that the message waits; a file has to be kept under its name."""
    expected = {part for part in each.label if part not in ("ask", "read")}
    names = {file["name"] for file in files if "digest" in file}
    shown = f"{each.number} {each.program} «{each.text}»: {sorted(happened)} for {sorted(each.label)}"
    unasked = {part for part in happened - expected if not part.startswith(("kk", "hoi"))}
    missing = expected - happened
    if unasked:
        tally.wrong = (*tally.wrong, shown)
    elif (missing or {"ask", "read"} & each.label) and not (waits or happened & {"kk", "hoi"}):
        tally.lost = (*tally.lost, shown)
    elif not set(each.files) <= names:
        tally.lost = (*tally.lost, f"{shown}; files {names}")
    elif missing:
        tally.not_acted = (*tally.not_acted, shown)
    else:
        tally.right += 1


def test_two_hundred_answers_are_acted_upon_as_a_careful_clerk_would(sqlite_database: Database, tmp_path: Path) -> None:
    assert sum(1 for _ in labelled()) == 200
    plan_id, letters = _begun(sqlite_database)
    tally = _measure(Laid(sqlite_database, plan_id), letters, tmp_path)
    print(f"right {tally.right} of 200, wrong {len(tally.wrong)}, lost {len(tally.lost)}")
    print(*tally.not_acted, sep="\n")
    assert (tally.wrong, tally.lost) == ((), ())
    assert tally.right >= LEAST_RIGHT, "\n".join(tally.not_acted)
