"""texts of letters are compressed"""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

from engine.store.records.letter_text import unpack

revision = "0012"
down_revision = "0011"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Texts of before stay as they are behind a zero byte; only new ones are compressed: no letter has to be read."""
    if op.get_bind().dialect.name == "postgresql":
        op.execute(
            r"ALTER TABLE letter_body ALTER COLUMN text TYPE bytea USING '\x00'::bytea || convert_to(text, 'UTF8')"
        )
        return
    with op.batch_alter_table("letter_body", schema=None) as batch_op:
        batch_op.alter_column("text", existing_type=sa.Text(), type_=sa.LargeBinary(), existing_nullable=False)
    op.execute("UPDATE letter_body SET text = CAST(char(0) || CAST(text AS TEXT) AS BLOB)")


def downgrade() -> None:
    """Each text is read and written again."""
    body = sa.table(
        "letter_body", sa.column("letter_id"), sa.column("text", sa.LargeBinary), sa.column("plain", sa.Text)
    )
    with op.batch_alter_table("letter_body", schema=None) as batch_op:
        batch_op.add_column(sa.Column("plain", sa.Text(), server_default="", nullable=False))
    connection = op.get_bind()
    for letter_id, packed in connection.execute(sa.select(body.c.letter_id, body.c.text)).all():
        connection.execute(sa.update(body).where(body.c.letter_id == letter_id).values(plain=unpack(packed)))
    with op.batch_alter_table("letter_body", schema=None) as batch_op:
        batch_op.drop_column("text")
        batch_op.alter_column("plain", new_column_name="text", existing_type=sa.Text(), server_default=None)
