"""Choosing agencies on a form without a script: all of a kind by one button, a search, and then single ones by ticks.

The buttons send the whole form back, so that nothing that was typed is lost.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from engine.http.forms import Form
from engine.queries.work.duty_changes import Choices

MAX_WORDS_CHARS = 80


@dataclass(frozen=True)
class AgencyPicker:
    """What is offered (``choices``) and ``ticked``; ``words``: by which the agencies are looked for."""

    choices: Choices
    ticked: tuple[str, ...]
    words: str = ""


def picks(form: Form) -> bool:
    """Whether a form was sent only to choose."""
    return form.raw("act").partition(":")[0] in ("all", "none", "find")


def picked(choices: Choices, ticked: Sequence[str], form: Form | None = None) -> AgencyPicker:
    """The choice after the button of a form: «all:xa» and «none:xa» tick and untick a kind, «find» looks for words."""
    act, _, level = form.raw("act").partition(":") if form else ("", "", "")
    words = " ".join(form.raw("find").split())[:MAX_WORDS_CHARS] if form and act == "find" else ""
    own = choices.of_level(level)
    if act == "all":
        ticked = [*dict.fromkeys((*ticked, *own))]
    elif act == "none":
        ticked = [each for each in ticked if each not in own]
    return AgencyPicker(choices.narrowed(words, ticked) if words else choices, tuple(ticked), words)
