from contextlib import suppress
from datetime import UTC, datetime, timedelta
from itertools import permutations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from engine.errors import BadInput, LinkRefused
from engine.terms import LetterState
from notifications.sms.receipts import (
    REPORTED,
    STRENGTH,
    Step,
    advance,
    from_esms,
    from_kannel,
    from_speedsms,
    verify,
)

NOW = datetime(2021, 6, 10, 1, 0, tzinfo=UTC)
REPORTS = st.sampled_from(REPORTED)


@pytest.mark.parametrize(
    ("current", "reported", "state", "odd"),
    [
        ("sending", "accepted", "accepted", None),
        ("sending", "unknown", "unknown", None),
        ("accepted", "delivered", "delivered", None),
        ("accepted", "bounced_soft", "bounced_soft", None),
        ("accepted", "bounced_hard", "bounced_hard", None),
        ("accepted", "refused", "refused", None),
        ("accepted", "expired", "expired", None),
        ("accepted", "accepted", "accepted", None),
        ("unknown", "delivered", "delivered", None),
        ("unknown", "accepted", "accepted", None),
        ("bounced_soft", "bounced_soft", "bounced_soft", None),
        ("bounced_soft", "delivered", "delivered", None),
        ("bounced_soft", "expired", "expired", None),
        ("sending", "delivered", "delivered", None),
    ],
)
def test_what_usually_happens_is_not_odd(current, reported, state, odd):
    assert advance(current, reported) == Step(LetterState(state), odd)


@pytest.mark.parametrize(
    ("current", "reported", "state", "odd"),
    [
        ("delivered", "delivered", "delivered", "delivered_twice"),
        ("bounced_hard", "bounced_hard", "bounced_hard", "bounced_hard_twice"),
        ("expired", "expired", "expired", "expired_twice"),
        ("delivered", "bounced_hard", "bounced_hard", "bounced_hard_after_delivered"),
        ("bounced_hard", "delivered", "bounced_hard", "delivered_after_bounced_hard"),
        ("delivered", "bounced_soft", "delivered", "bounced_soft_after_delivered"),
        ("expired", "delivered", "delivered", "delivered_after_expired"),
        ("delivered", "expired", "delivered", "expired_after_delivered"),
        ("refused", "delivered", "delivered", "delivered_after_refused"),
        ("delivered", "accepted", "delivered", "accepted_after_delivered"),
        ("accepted", "unknown", "accepted", "unknown_after_accepted"),
        ("queued", "delivered", "delivered", "delivered_before_sending"),
        ("queued", "bounced_hard", "bounced_hard", "bounced_hard_before_sending"),
        ("suppressed", "delivered", "suppressed", "receipt_for_suppressed"),
        ("suppressed", "bounced_hard", "suppressed", "receipt_for_suppressed"),
    ],
)
def test_an_odd_receipt_has_a_name(current, reported, state, odd):
    assert advance(current, reported) == Step(LetterState(state), odd)


def test_every_state_has_an_answer_to_every_receipt_and_none_is_weakened():
    assert set(STRENGTH) == set(LetterState)
    for current in LetterState:
        for reported in REPORTED:
            assert STRENGTH.index(advance(current, reported).state) >= STRENGTH.index(current)


@given(st.sampled_from(list(LetterState)), st.lists(REPORTS, min_size=1, max_size=5))
def test_the_order_of_receipts_does_not_change_the_fate(start, reports):
    ends = set()
    for order in permutations(reports):
        state = start
        for reported in order:
            state = advance(state, reported).state
        ends.add(state)
    assert len(ends) == 1


@given(st.sampled_from(list(LetterState)), REPORTS)
def test_the_same_receipt_twice_changes_nothing_more(start, reported):
    once = advance(start, reported).state
    assert advance(once, reported).state is once


@pytest.mark.parametrize(("current", "reported"), [("lost", "delivered"), ("accepted", "queued"), ("accepted", "")])
def test_a_word_that_is_no_receipt_is_bad_input(current, reported):
    with pytest.raises(BadInput):
        advance(current, reported)


def test_a_callback_without_the_secret_of_its_address_is_refused():
    verify("s3cret", ["another", "s3cret"])
    for given_secret, secret in (("S3cret", "s3cret"), ("", "s3cret"), ("", ""), ("đ", "s3cret")):
        with pytest.raises(LinkRefused):
            verify(given_secret, [secret])


@pytest.mark.parametrize(
    ("kind", "answer", "state"),
    [
        ("1", "", "delivered"),
        ("2", "", "bounced_hard"),
        ("2", "id:7 sub:001 dlvrd:000 stat:EXPIRED err:027", "expired"),
        ("2", "id:7 sub:001 dlvrd:000 stat:REJECTD err:011", "refused"),
        ("2", "id:7 sub:001 dlvrd:000 stat:UNDELIV err:001", "bounced_hard"),
        ("4", "", "accepted"),
        ("8", "ACK/", "accepted"),
        ("16", "NACK/11/Invalid Destination Address", "refused"),
        ("34", "", "expired"),
        ("66", "", "unknown"),
        ("128", "", "unknown"),
    ],
)
def test_kannels_report_says_what_became_of_the_message(kind, answer, state):
    query = {"receipt": "dd-1", "type": kind, "answer": answer, "time": str(int(NOW.timestamp()) - 60)}
    receipt = from_kannel(query, NOW)
    assert (receipt.receipt, receipt.state) == ("dd-1", state)
    assert receipt.code.startswith(kind)
    assert receipt.at == NOW - timedelta(minutes=1)


@pytest.mark.parametrize("time", ["", "0", "99999999999", "-5", "soon"])
def test_a_gateways_wrong_clock_is_not_believed(time):
    assert from_kannel({"receipt": "dd-1", "type": "1", "time": time}, NOW).at == NOW


@pytest.mark.parametrize(
    ("status", "success", "failed", "state"),
    [
        ("1", "0", "0", "accepted"),
        ("2", "0", "0", "accepted"),
        ("4", "0", "1", "refused"),
        ("5", "1", "0", "delivered"),
        ("5", "0", "1", "bounced_soft"),
        ("5", "0", "0", "unknown"),
        ("7", "0", "0", "accepted"),
    ],
)
def test_esms_finished_is_not_yet_delivered_the_counts_tell(status, success, failed, state):
    query = {
        "SMSID": "dc712784",
        "SendFailed": failed,
        "SendStatus": status,
        "SendSuccess": success,
        "TotalReceiver": "1",
        "TotalSent": "1",
        "RequestId": "dd-1",
        "TypeId": "2",
        "telcoid": "1",
        "phonenumber": "0912345678",
    }
    receipt = from_esms(query, NOW)
    assert (receipt.receipt, receipt.state, receipt.code, receipt.at) == ("dd-1", state, status, NOW)


@pytest.mark.parametrize(
    ("status", "state"), [(0, "delivered"), (1, "bounced_soft"), (63, "bounced_soft"), (64, "bounced_hard")]
)
def test_speedsms_reports_by_a_number_with_a_border_at_64(status, state):
    receipt = from_speedsms({"type": "report", "tranId": 123456, "phone": "84912345678", "status": status}, NOW)
    assert (receipt.receipt, receipt.state, receipt.code) == ("123456", state, str(status))


@given(st.dictionaries(st.sampled_from(["receipt", "type", "time", "answer", "RequestId", "SendStatus"]), st.text()))
def test_a_malformed_callback_is_bad_input_and_nothing_worse(fields):
    for read in (from_kannel, from_esms, from_speedsms):
        with suppress(BadInput):
            assert read(fields, NOW).state in LetterState
