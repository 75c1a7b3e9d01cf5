"""Keys in the demonstration, so that a developer of another system can try what a key may and may not.

There everybody is the desk and nobody has an account; the account of a trial key has no password, a mailbox that cannot
exist, and a key that ends a month after the demonstration's day, which is years ago: it opens nothing if the data
folder is used for an installation later.
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime, timedelta

from sqlalchemy import Select, select
from sqlmodel import Session

from engine.accounts.accounts import create, find
from engine.accounts.api_tokens import make_token, scopes_of
from engine.accounts.permissions import ActorRole
from engine.errors import BadInput, Conflict
from engine.store.database import table
from engine.store.records import Assignment, Plan
from engine.terms import OPEN_STATES, PlanState
from engine.text import Text

LASTS = timedelta(days=30)
LABEL, BY = "Chương trình thử API", "demo"
ROLES: Mapping[ActorRole, Text] = {
    ActorRole.MONITOR: Text("cơ quan theo dõi: xem, quyết định", "a department above: read, decide"),
    ActorRole.COORDINATOR: Text("cơ quan chủ trì: xem, báo cáo", "an owner agency: read, report"),
}


def make_trial_key(session: Session, role: str, now: datetime) -> str:
    """A key of every scope that the role may have. Raises BadInput for another role, Conflict before anything is
    open."""
    if role not in ROLES:
        raise BadInput(Text("Hãy chọn vai trò của khóa thử.", "Choose the role of the trial key."))
    chosen = ActorRole(role)
    agency_id = session.connection().scalar(_agency(chosen))
    if agency_id is None:
        raise Conflict(Text("Chưa có phần việc nào để thử.", "There is no assignment to try it with."))
    email = f"thu-api-{chosen}@dondoc.example"
    found = find(session, email)
    account_id = (
        found.id
        if found is not None
        else create(session, email=email, role=role, agency_id=agency_id, label=LABEL, actor=BY, now=now)
    )
    return make_token(session, account_id, label=LABEL, scopes=scopes_of(chosen), lasts=LASTS, actor=BY, now=now)


def _agency(role: ActorRole) -> Select[str]:
    """The owner with the next open assignment, or the department above it."""
    a, p = table(Assignment), table(Plan)
    who = a.c.agency_id if role is ActorRole.COORDINATOR else p.c.supervisor_id
    statement = select(who).join(p, p.c.id == a.c.plan_id)
    statement = statement.where(
        p.c.state == PlanState.ACTIVE, a.c.state.in_(OPEN_STATES), a.c.agency_id != p.c.supervisor_id
    )
    return statement.order_by(a.c.due_on, a.c.id).limit(1)
