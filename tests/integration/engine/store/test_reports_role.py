"""The role for reports of the manual reads what was done, and nothing that opens anything."""

from __future__ import annotations

import re

import pytest
from ground.databases import closing_database, postgres_database
from ground.paths import ROOT
from ground.postgres import Ground
from sqlalchemy.exc import ProgrammingError


def test_the_role_of_the_manual_reads_work_and_neither_changes_it_nor_sees_what_opens(
    ground: Ground, worker_id: str
) -> None:
    manual = (ROOT / "docs/operating/several-machines.md").read_text()
    role, grant = re.findall(r'-c "((?:CREATE ROLE|GRANT) [^"]+)"', manual)
    assert grant in (ROOT / "docs/vi/van-hanh/nhieu-may.md").read_text()
    name = f"dondoc_reports_{worker_id}"
    with closing_database(postgres_database(ground, f"reports_{worker_id}")) as database:
        database.upgrade()
        with database.bind.begin() as connection:
            for statement in (role, grant):
                connection.exec_driver_sql(statement.replace("dondoc_reports", name))
            connection.exec_driver_sql(f"SET LOCAL ROLE {name}")
            assert connection.exec_driver_sql("SELECT count(*) FROM assignment").scalar() == 0
        for forbidden in (
            "DELETE FROM assignment",
            *(f"SELECT * FROM {each}" for each in ("account", "fact", "letter")),
        ):
            with database.bind.connect() as connection:
                connection.exec_driver_sql(f"SET ROLE {name}")
                with pytest.raises(ProgrammingError, match="permission denied"):
                    connection.exec_driver_sql(forbidden)
        with database.bind.begin() as connection:
            connection.exec_driver_sql(f"DROP OWNED BY {name}; DROP ROLE {name}")
