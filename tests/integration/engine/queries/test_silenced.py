"""Where a relay has refused many addresses, the page proposes to write to them again."""

from __future__ import annotations

from datetime import timedelta

import pytest
from ground.factory import rows
from ground.office import NOW, as_role
from sqlalchemy import update

from engine.queries.system.health import MANY_SILENCED, silenced
from engine.rules.calendar import local_date
from engine.store.database import Database, table
from engine.store.records import Contact, Letter
from engine.terms import LetterState

TODAY = local_date(NOW)


def refuse(database: Database, count: int) -> None:
    """So many contacts are silenced by the relay's answer to a letter of yesterday."""
    c, m = table(Contact), table(Letter)
    ids = sorted({each.contact_id for each in rows(database, Letter)})[:count]
    assert len(ids) == count
    with database.write() as session:
        session.connection().execute(update(c).where(c.c.id.in_(ids)).values(suppressed={"email": "dead: 550"}))
        refused = {"state": LetterState.REFUSED, "day": TODAY - timedelta(days=1), "channel": "email"}
        session.connection().execute(update(m).where(m.c.contact_id.in_(ids)).values(**refused))


@pytest.mark.parametrize(("count", "proposed"), [(MANY_SILENCED - 1, False), (MANY_SILENCED, True)])
def test_many_silenced_addresses_are_proposed_to_be_written_to_again(
    lived: Database, tmp_path, count: int, proposed: bool
) -> None:
    refuse(lived, count)
    with lived.read() as session:
        found = silenced(session, TODAY)
        assert (found is not None and found.count == count) is proposed
        assert silenced(session, TODAY + timedelta(days=7)) is None
    page = as_role(lived, tmp_path, "administrator", "tinh").get("/health").text
    day = TODAY - timedelta(days=1)
    assert (f"dondoc contact lift --from {day} --to {day}" in page) is proposed
