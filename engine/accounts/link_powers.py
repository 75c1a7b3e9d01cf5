"""What a link in a letter may do: a closed table, purpose × permission.

Letters are forwarded, so whoever holds a link may be anybody. A link therefore acts for its letter's reader only within
what its purpose names here, besides what the reader's role allows. Who gets an agency's letters is not changed by one:
it proposes (``agencies.preferences.name_deputy``), and a link of its own, in a letter of its own, agrees.
"""

from __future__ import annotations

from collections.abc import Mapping

from engine.accounts.permissions import Permission
from engine.accounts.signed_links import Purpose
from engine.enums import complete

POWERS: Mapping[Purpose, frozenset[Permission]] = complete(
    Purpose,
    {
        Purpose.ACKNOWLEDGE: frozenset({Permission.ACKNOWLEDGE, Permission.DECLINE, Permission.ADD_PART}),
        Purpose.REPORT: frozenset(
            {
                Permission.REPORT,
                Permission.ASK_EXTENSION,
                Permission.RAISE,
                Permission.SEE_EVIDENCE,
                Permission.NAME_DEPUTY,
            }
        ),
        Purpose.UNSUBSCRIBE: frozenset({Permission.SET_PREFERENCES, Permission.NAME_DEPUTY}),
        Purpose.CALENDAR: frozenset(),
        Purpose.DEPUTY: frozenset({Permission.NAME_DEPUTY}),
    },
)
"""``NAME_DEPUTY``: to propose one in REPORT, to end one in UNSUBSCRIBE, to agree or refuse in DEPUTY."""
