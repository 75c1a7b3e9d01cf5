"""trial accounts of a demonstration of 0.1.0 end with it"""

from __future__ import annotations

from alembic import op

revision = "0111"
down_revision = "0110"
branch_labels = None
depends_on = None

TRIAL = "SELECT id FROM account WHERE email LIKE 'thu-api-%@dondoc.example'"
"""Their keys could outlive the day of the demonstration."""


def upgrade() -> None:
    op.execute(f"UPDATE api_token SET revoked_at = created_at WHERE revoked_at IS NULL AND account_id IN ({TRIAL})")
    op.execute("UPDATE account SET active = false WHERE email LIKE 'thu-api-%@dondoc.example'")
