"""What doctor says of the server that authenticates senders."""

from __future__ import annotations

import pytest

from engine.admin.first_steps import Mark
from workflows.operation.trial_letter import senders

OURS = "mx.so.example; dmarc=pass header.from=so.example"


@pytest.mark.parametrize(
    ("named", "seen", "forged", "mark", "said"),
    [
        ("mx.so.example", OURS, False, Mark.WELL, "authenticates senders"),
        ("mx.so.example", OURS, True, Mark.WRONG, "leaves forged"),
        ("mx.so.example", "", False, Mark.WRONG, "writes no Authentication-Results"),
        ("mx.huyen.example", OURS, False, Mark.WRONG, "mail names mx.so.example"),
        ("mx.so.example", None, False, Mark.WELL, "--round-trip tries it"),
        ("", OURS, False, Mark.UNUSED, "set DONDOC_IMAP_AUTHSERV_ID=mx.so.example"),
        ("", None, False, Mark.UNUSED, "see DONDOC_IMAP_AUTHSERV_ID"),
    ],
)
def test_senders_are_authenticated_where_the_named_server_was_seen_to_do_so(
    named: str, seen: str | None, forged: bool, mark: Mark, said: str
) -> None:
    line = senders(named, seen, forged=forged)
    assert (line.mark, said in line.what.en) == (mark, True)
