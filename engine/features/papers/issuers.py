"""Who issues a paper: what the department has set, over the defaults that its name gives.

The ministries that a plan has its reports sent to, found in the words of its duties. Pure.

Names as they are and as plans of the last ten years have them; a plan may name one that has ended since.
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import fields

from sqlalchemy import select
from sqlmodel import Session

from engine.features.papers.facts import Issuer, IssuerSettings, PaperKind
from engine.store.database import table
from engine.store.records import Agency, PaperSettings, Plan
from engine.store.stored_rows import StoredPlan


def issuer_of(session: Session, plan_row: StoredPlan, kind: PaperKind) -> Issuer:
    """The plan's supervising department, under the body that issued the plan. Two queries."""
    g = table(Agency)
    statement = select(g.c.id, g.c.name).where(g.c.id.in_((plan_row.supervisor_id, plan_row.issuer_id)))
    names: dict[str, str] = {row[0]: row[1] for row in session.connection().execute(statement)}
    department, province = plan_row.supervisor_id, plan_row.issuer_id
    return settings_of(session, department).issuer(
        names.get(department, department), names.get(province, province), kind
    )


def settings_of(session: Session, agency_id: str) -> IssuerSettings:
    """What the department has set; empty fields otherwise."""
    row = session.get(PaperSettings, agency_id)
    known = {each.name for each in fields(IssuerSettings)}
    return IssuerSettings(**{name: value for name, value in (row.body if row else {}).items() if name in known})


def letterhead_of(session: Session, agency_id: str) -> tuple[str, bytes] | None:
    """(file name, form) of the department's own letterhead, if it has one."""
    s = table(PaperSettings)
    statement = select(s.c.letterhead_name, s.c.letterhead).where(s.c.agency_id == agency_id)
    row = session.connection().execute(statement.where(s.c.letterhead.is_not(None))).first()
    return None if row is None else (row.letterhead_name, bytes(row.letterhead))


def departments_of(session: Session) -> tuple[tuple[str, str], ...]:
    """(id, name) of the departments that supervise a plan."""
    g, p = table(Agency), table(Plan)
    statement = select(g.c.id, g.c.name).where(g.c.id.in_(select(p.c.supervisor_id))).order_by(g.c.name)
    return tuple((row[0], row[1]) for row in session.connection().execute(statement))


NAMES = (
    "Quốc phòng",
    "Công an",
    "Ngoại giao",
    "Nội vụ",
    "Tư pháp",
    "Kế hoạch và Đầu tư",
    "Tài chính",
    "Công Thương",
    "Nông nghiệp và Phát triển nông thôn",
    "Nông nghiệp và Môi trường",
    "Giao thông vận tải",
    "Xây dựng",
    "Tài nguyên và Môi trường",
    "Thông tin và Truyền thông",
    "Lao động - Thương binh và Xã hội",
    "Văn hóa, Thể thao và Du lịch",
    "Khoa học và Công nghệ",
    "Giáo dục và Đào tạo",
    "Y tế",
    "Dân tộc và Tôn giáo",
)
NAMED = re.compile("Bộ (" + "|".join(sorted(map(re.escape, NAMES), key=len, reverse=True)) + r")\b")
REPORTED = re.compile(r"\bbáo cáo\b[^.;]*", re.IGNORECASE)
"""The clause that says to whom is reported."""
NOT_TO = re.compile(r"\b(?:của|theo|do)\s+$")
"""Before a name that is no recipient: «theo hướng dẫn của Bộ …»."""


def ministries(texts: Iterable[str]) -> tuple[str, ...]:
    """«Bộ Lao động - Thương binh và Xã hội» where a duty says that reports go to it too, each once."""
    found: dict[str, None] = {}
    for text in texts:
        for clause in REPORTED.findall(" ".join(text.split())):
            for name in NAMED.finditer(clause):
                if not NOT_TO.search(clause[: name.start()]):
                    found[name.group()] = None
    return tuple(found)
