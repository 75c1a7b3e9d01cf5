"""Promises: the dated word of an owner that a task will be done, and the reasons why tasks are late.

The day from which an unfinished task was asked again becomes the promised day of the task. Nobody has promised it, so
it has no row of its own in the ledger. Deputies named through the link of a letter are proposed; those there are count
as before. Plan documents under review are kept.
"""

from __future__ import annotations

import json

import sqlalchemy as sa
from alembic import op

revision = "0019"
down_revision = "0018"
branch_labels = None
depends_on = None

LOST = {
    "before": "next_action_at IS NULL AND quiet IS NULL AND state IN ('assigned','acknowledged','returned')",
    "after": (
        "next_action_at IS NULL AND quiet IS NULL AND done_on IS NULL AND state NOT IN ('cancelled','transferred')"
    ),
}
STEPS = (
    """UPDATE assignment SET next_action_at = {now}
    WHERE promised_on IS NOT NULL AND next_action_at IS NOT NULL""",
    """UPDATE assignment SET quiet = CASE WHEN due_on IS NULL THEN 'no_deadline' ELSE 'ladder_ended' END
    WHERE next_action_at IS NULL AND done_on IS NULL AND state IN ('reported', 'accepted')
        AND (quiet IS NULL OR quiet = 'awaiting_acceptance')""",
)
"""Reminders come before the promised day now: the next pass works out which. What was reported unfinished says why
nothing more is asked."""
NOW = {"sqlite": "datetime('now')", "postgresql": "now()"}
BIG = sa.BigInteger().with_variant(sa.Integer(), "sqlite")
CODES = (("report", "reason_code"), ("report", "returned_code"), ("extension", "reason_code"))


def _rename_in_policies(old: str, new: str) -> None:
    connection = op.get_bind()
    for row in connection.execute(sa.text("SELECT id, body FROM policy")).all():
        body = json.loads(row.body) if isinstance(row.body, str) else dict(row.body)
        if old in body:
            body = {new if name == old else name: value for name, value in body.items()}
            statement = sa.text("UPDATE policy SET body = :body WHERE id = :id")
            connection.execute(statement, {"body": json.dumps(body, ensure_ascii=False), "id": row.id})


def _index_lost(which: str) -> None:
    where = sa.text(LOST[which])
    op.create_index("ix_assignment_lost", "assignment", ["id"], sqlite_where=where, postgresql_where=where)


def upgrade() -> None:
    op.drop_index("ix_assignment_lost", "assignment")
    with op.batch_alter_table("assignment", schema=None) as batch_op:
        batch_op.alter_column("asked_again_on", new_column_name="promised_on")
        batch_op.add_column(sa.Column("broken_before", sa.Integer(), nullable=False, server_default="0"))
    for table, column in CODES:
        with op.batch_alter_table(table, schema=None) as batch_op:
            batch_op.add_column(sa.Column(column, sa.String(length=32), nullable=False, server_default=""))
    op.create_table(
        "promise",
        sa.Column("id", BIG, nullable=False),
        sa.Column("assignment_id", BIG, nullable=False),
        sa.Column("number", sa.Integer(), nullable=False),
        sa.Column("made_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("made_on", sa.Date(), nullable=False),
        sa.Column("actor", sa.String(length=96), nullable=False),
        sa.Column("source", sa.String(length=16), nullable=False),
        sa.Column("promised_on", sa.Date(), nullable=False),
        sa.Column("reason_code", sa.String(length=32), nullable=False),
        sa.Column("waits_for", sa.String(length=64), nullable=True),
        sa.Column("reason", sa.Text(), nullable=False),
        sa.Column("owed", sa.Text(), nullable=False),
        sa.Column("state", sa.String(length=32), nullable=False),
        sa.Column("decided_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("decided_by", sa.String(length=96), nullable=False),
        sa.Column("answer", sa.Text(), nullable=False),
        sa.Column("ended_on", sa.Date(), nullable=True),
        sa.ForeignKeyConstraint(["waits_for"], ["agency.id"], name="fk_promise_waits_for_agency"),
        sa.PrimaryKeyConstraint("id", name="pk_promise"),
        sa.UniqueConstraint("assignment_id", "number", name="uq_promise_assignment_id_number"),
    )
    for name, columns, unique, condition in (
        ("uq_promise_waiting", ["assignment_id"], True, "state = 'waiting'"),
        ("uq_promise_standing", ["assignment_id"], True, "state = 'standing'"),
        ("ix_promise_waits_for", ["waits_for"], False, "waits_for IS NOT NULL"),
        ("ix_promise_broken", ["ended_on"], False, "state = 'broken'"),
    ):
        where = sa.text(condition)
        op.create_index(name, "promise", columns, unique=unique, sqlite_where=where, postgresql_where=where)
    for step in STEPS:
        op.execute(sa.text(step.format(now=NOW[op.get_bind().dialect.name])))
    _index_lost("after")
    _rename_in_policies("ask_again_days", "promise_days")
    with op.batch_alter_table("contact", schema=None) as batch_op:
        batch_op.add_column(sa.Column("proposed", sa.Boolean(), nullable=False, server_default=sa.false()))
    op.create_table(
        "plan_draft",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("name", sa.String(), nullable=False),
        sa.Column("number", sa.String(length=64), nullable=False),
        sa.Column("state", sa.JSON(), nullable=False),
        sa.Column("duties", sa.Integer(), nullable=False),
        sa.Column("to_settle", sa.Integer(), nullable=False),
        sa.Column("made_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("made_by", sa.String(length=96), nullable=False),
        sa.Column("changed_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("changed_by", sa.String(length=96), nullable=False),
        sa.PrimaryKeyConstraint("id", name="pk_plan_draft"),
    )
    op.create_index("ix_plan_draft_changed_at", "plan_draft", ["changed_at"])


def downgrade() -> None:
    op.drop_table("plan_draft")
    op.execute(sa.text("UPDATE contact SET valid_until = valid_from WHERE proposed"))
    with op.batch_alter_table("contact", schema=None) as batch_op:
        batch_op.drop_column("proposed")
    _rename_in_policies("promise_days", "ask_again_days")
    op.drop_index("ix_assignment_lost", "assignment")
    op.drop_table("promise")
    for table, column in CODES:
        with op.batch_alter_table(table, schema=None) as batch_op:
            batch_op.drop_column(column)
    with op.batch_alter_table("assignment", schema=None) as batch_op:
        batch_op.drop_column("broken_before")
        batch_op.alter_column("promised_on", new_column_name="asked_again_on")
    _index_lost("before")
