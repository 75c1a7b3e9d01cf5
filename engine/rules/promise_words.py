"""What is said of a promise, beside how late its task is: on pages, in files and in papers. Pure."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date

from engine.rules.calendar import written
from engine.rules.policy import Reason
from engine.text import Text


def promise_words(promised_on: date | None, number: int, today: date) -> Text | None:
    """«đã hẹn thứ Tư, 30/6/2021», from the second promise of the task on with «(lần 2)»; once its day has passed
    «lời hẹn thứ Tư, 30/6/2021 đã qua». None without a promise that counts."""
    if promised_on is None:
        return None
    vi, en = written(promised_on), written(promised_on, "en")
    again = Text(f" (lần {number})", f" (no. {number})") if number > 1 else Text("", "")
    if promised_on < today:
        return Text(f"lời hẹn {vi} đã qua{again.vi}", f"the promise of {en} has passed{again.en}")
    return Text(f"đã hẹn {vi}{again.vi}", f"promised for {en}{again.en}")


def reason_words(code: str, reasons: Sequence[Reason]) -> Text:
    """A reason code in words; one that the policy no longer has is shown as it is."""
    return next((each.text for each in reasons if each.code == code), Text.same(code))
