"""What was done because of a message, in words."""

from __future__ import annotations

from engine.correspondence.message_acts import Done
from engine.text import Text
from engine.views.event_sentences import done_words


def test_an_act_that_was_stored_before_periods_were_is_said_without_them() -> None:
    stored = {"act": "extension_asked", "ids": [1], "citations": ["IV.1.1"], "on": "2021-06-25", "files": []}
    said = Text("đề nghị gia hạn IV.1.1 đến 25/6/2021", "an extension of IV.1.1 to 25/6/2021 asked for")
    assert done_words(Done.of(stored)) == said
