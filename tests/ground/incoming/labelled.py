"""Answers of offices, labelled with what a careful clerk would do with each, measured: acted upon rightly, proposed
rightly, kept for a person, acted upon wrongly, lost.

A file of lines ``duties | label | text`` under heads ``## mail program`` (``tests/data/answers/answers.txt`` says
more), with the expected outcome (sure, proposed, kept) between duties and label where there is one; or YAML, a list
of ``{program, duties, label, text}``.
"""

from __future__ import annotations

import asyncio
import re
from collections import Counter
from collections.abc import Iterator, Sequence
from contextlib import suppress
from dataclasses import dataclass, field, replace
from datetime import date
from email import message_from_bytes, policy
from io import BytesIO
from pathlib import Path
from typing import Any

import docx
import yaml
from ground.factory import at, directory, item, lay, plan_file, swept
from ground.incoming.mail_programs import BY_PROGRAM, Reply
from ground.post import KEY, LetterBox, post_office
from sqlalchemy import select
from sqlmodel import Session

from engine.accounts.signed_links import Signer
from engine.correspondence.handling import receive_file, record_requests
from engine.correspondence.message_acts import Request
from engine.errors import DondocError
from engine.store.database import Database, table
from engine.store.records import Assignment, Duty, Event, Extension, IncomingMessage, Promise, ThreadEntry
from engine.terms import AnswerRead, Ask, EventKind
from notifications.contract.channel import Fate, Outcome, Outgoing
from notifications.delivery import deliver
from notifications.email.mime import Sender, compose
from notifications.inbound import answers
from notifications.inbound.message import MailProof, read_mail
from notifications.letters.renderer import LetterRenderer, RendererSettings

SENT, ANSWERED = at("2021-06-03", "07:30"), at("2021-06-07", "08:00")
READERS = {1: "coordinator@so-ban.example", 3: "coordinator@huyen-a.example"}
PROOF = MailProof(Signer(KEY), "mx.so.example")
RIGHTLY, PROPOSED, KEPT, OTHERWISE, WRONGLY, LOST = (
    "acted rightly",
    "proposed rightly",
    "kept for a person",
    "proposed otherwise",
    "acted wrongly",
    "lost",
)


@dataclass(frozen=True, kw_only=True)
class Labelled:
    """One answer. ``label``: what has to come of it, «file …» apart; ``outcome``: sure, proposed or kept, "" where the
    file does not say."""

    number: int
    program: str
    duties: int
    label: frozenset[str]
    text: str
    files: tuple[str, ...] = ()
    outcome: str = ""

    @property
    def expected(self) -> set[str]:
        """«ask» and «read» ask for nothing but that the message waits."""
        return {part for part in self.label if part not in ("ask", "read")}


def labelled(path: Path) -> Iterator[Labelled]:
    """The answers of a file, or of all files of a folder."""
    if path.is_dir():
        for each in sorted(path.iterdir()):
            yield from labelled(each)
        return
    found = yaml.safe_load(path.read_text()) if path.suffix in (".yaml", ".yml") else list(_lines(path))
    for number, row in enumerate(found, 1):
        parts = [part.strip() for part in row["label"].split(",")]
        yield Labelled(
            number=number,
            program=row.get("program", "gmail"),
            duties=int(row.get("duties", 1)),
            label=frozenset(part for part in parts if part and not part.startswith("file ")),
            files=tuple(part[5:] for part in parts if part.startswith("file ")),
            text=row["text"],
            outcome=row.get("outcome", ""),
        )


def _lines(path: Path) -> Iterator[dict[str, Any]]:
    program = "gmail"
    for line in path.read_text().splitlines():
        if line.startswith("## "):
            program = line[3:]
        found = re.match(r"([13]) \| (?:(sure|proposed|kept) \| )?(.*?) \|(?: (.*))?$", line)
        if found:
            text = (found[4] or "").replace("⏎", "\n")
            outcome = found[2] or ""
            yield {"program": program, "duties": found[1], "outcome": outcome, "label": found[3], "text": text}


class _Relay(LetterBox):
    def __init__(self) -> None:
        super().__init__()
        self.raw: dict[str, bytes] = {}

    async def send(self, letter: Outgoing) -> Outcome:
        message_id, self.raw[letter.to] = compose(letter, Sender("nhacviec@so.example", "Theo dõi nhiệm vụ"))
        return Outcome(fate=Fate.ACCEPTED, receipt=message_id)


def reminded(database: Database) -> dict[int, bytes]:
    """One agency with a duty and one with three, reminded ten working days before the due date; the raw letters. Their
    names are those that writers call their office by."""
    duty = {"text": "Tổng hợp, báo cáo kết quả.", "cadence": ["half_year"], "rule": "gui-so"}
    three = item(2, "huyen-a") | {"duties": [{"citation": f"IV.2.{n}"} | duty for n in (1, 2, 3)]}
    offices = directory(
        so_ban={"names": [{"name": "Sở Tư pháp"}], "aliases": ["UBND xã Nậm Cắn"]}, huyen_a={"aliases": ["Sở Tư pháp"]}
    )
    lay(database, now=at("2021-04-07"), plan=plan_file(items=(item(1, "so-ban"), three)), bodies=offices)
    relay = _Relay()
    renderer = LetterRenderer(Signer(KEY), RendererSettings("https://theodoi.so.example", reply_domain="so.example"))
    for now in (at("2021-04-07"), SENT):
        swept(database, now)
        relay.raw.clear()
        office = replace(post_office(relay), channels={"email": relay}, renderer=renderer)
        asyncio.run(deliver(database, now, office))
    return {duties: relay.raw[mailbox] for duties, mailbox in READERS.items()}


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
class Measured:
    """Of each outcome, the answers with what was done and what had to be."""

    found: dict[str, list[tuple[Labelled, str]]] = field(default_factory=dict)

    def add(self, outcome: str, each: Labelled, happened: set[str]) -> None:
        shown = f"{each.number} {each.program} «{each.text}»: {sorted(happened)} for {sorted(each.label)}"
        self.found.setdefault(outcome, []).append((each, shown.replace("\n", "⏎")))

    def shown(self, *outcomes: str) -> list[str]:
        return [line for outcome in outcomes for _, line in self.found.get(outcome, ())]

    @property
    def right(self) -> int:
        """Acted upon rightly, proposed rightly, or kept where a person has to read."""
        kept = sum(not each.expected for each, _ in self.found.get(KEPT, ()))
        return sum(len(self.found.get(outcome, ())) for outcome in (RIGHTLY, PROPOSED)) + kept

    def __str__(self) -> str:
        count = Counter({outcome: len(each) for outcome, each in self.found.items()})
        figures = ", ".join(
            f"{outcome} {count[outcome]}" for outcome in (RIGHTLY, PROPOSED, KEPT, OTHERWISE, WRONGLY, LOST)
        )
        return f"{count.total()} answers: {figures}; right in all {self.right}"


class _Undo(Exception):
    pass


def measure(database: Database, letters: dict[int, bytes], all_of: Sequence[Labelled], folder: Path) -> Measured:
    measured = Measured()
    for each in all_of:
        mail = read_mail(_raw(each, letters))
        files = [receive_file(folder, one.name, one.body) for one in mail.files]
        with suppress(_Undo), database.write() as session:
            answers.take_mail(session, mail, PROOF, ANSWERED, files)
            kept = session.connection().execute(select(table(IncomingMessage))).one()
            _judge(measured, each, session, kept)
            raise _Undo
    return measured


def _judge(measured: Measured, each: Labelled, session: Session, kept: Any) -> None:
    happened, waits = _happened(session, each), kept.waits is not None
    names = {file["name"] for file in kept.files if "digest" in file}
    missing = each.expected - happened
    if _unasked(happened - each.expected):
        measured.add(WRONGLY, each, happened)
    elif not set(each.files) <= names or (not waits and (missing or each.label - each.expected - _read(happened))):
        measured.add(LOST, each, happened)
    elif not missing and (each.expected or not waits):
        measured.add(RIGHTLY, each, happened)
    else:
        confirmed = _confirmed(session, each, kept)
        if each.expected and each.expected <= confirmed and not _unasked(confirmed - each.expected):
            measured.add(PROPOSED, each, confirmed)
        else:
            measured.add(OTHERWISE if _unasked(confirmed - each.expected) else KEPT, each, confirmed)


def _read(happened: set[str]) -> set[str]:
    """What a person is going to read in a thread needs no other reading."""
    return {"ask", "read"} if happened & {"kk", "hoi"} else set()


def _unasked(done: set[str]) -> set[str]:
    return done - {"kk", "hoi"}


def _confirmed(session: Session, each: Labelled, kept: Any) -> set[str]:
    """What a press of «Đúng» does; nothing where something is still to be chosen."""
    requests = [Request.of(entry) for entry in kept.proposed]
    requests = [request for request in requests if request.ask is not Ask.ATTACH]
    if not requests:
        return set()
    with suppress(DondocError):
        record_requests(session, kept.incoming_id, requests, AnswerRead.CONFIRMED, actor="account:1", now=ANSWERED)
        return _happened(session, each)
    return set()
