"""Who may do what: the whole table, role by deed, for one's own body and another's."""

from __future__ import annotations

import pytest

from engine.access import ABOVE, DESK, Actor, ActorRole, Deed, concerned, may, must
from engine.errors import NotAllowed
from engine.terms import Role

OWNER_DEEDS = {Deed.ACKNOWLEDGE, Deed.DECLINE, Deed.REPORT, Deed.ASK_EXTENSION}
WATCHING = {Deed.SEE_BOARD, Deed.SEE_ASSIGNMENT, Deed.SEE_PLANS}
OWN = {
    ActorRole.COORDINATOR: OWNER_DEEDS | {Deed.SEE_ASSIGNMENT, Deed.SEE_PLANS},
    ActorRole.DEPUTY: OWNER_DEEDS | {Deed.SEE_ASSIGNMENT, Deed.SEE_PLANS},
    ActorRole.HEAD: OWNER_DEEDS | {Deed.SEE_ASSIGNMENT, Deed.SEE_PLANS},
    ActorRole.MONITOR: WATCHING | {Deed.SEE_LETTERS} | ABOVE,
    ActorRole.LEADERSHIP: WATCHING,
    ActorRole.ADMINISTRATOR: set(Deed),
}
OTHERS = {
    ActorRole.COORDINATOR: {Deed.SEE_PLANS},
    ActorRole.DEPUTY: {Deed.SEE_PLANS},
    ActorRole.HEAD: {Deed.SEE_PLANS},
    ActorRole.MONITOR: WATCHING | {Deed.SEE_LETTERS},
    ActorRole.LEADERSHIP: WATCHING,
    ActorRole.ADMINISTRATOR: set(Deed),
}


@pytest.mark.parametrize("role", ActorRole)
def test_a_role_may_do_what_the_table_says_and_nothing_else(role: ActorRole) -> None:
    actor = Actor("account", "3", "so-ban", role)
    assert {deed for deed in Deed if may(actor, deed, "so-ban")} == OWN[role]
    assert {deed for deed in Deed if may(actor, deed, "huyen-a")} == OTHERS[role]


def test_nobody_without_a_body_may_do_what_is_for_ones_own() -> None:
    assert not may(Actor("contact", "1", "", ActorRole.COORDINATOR), Deed.REPORT, "")


def test_what_the_department_decides_concerns_the_department() -> None:
    assert concerned(Deed.ACCEPT, "huyen-a", "so-chinh") == "so-chinh"
    assert concerned(Deed.REPORT, "huyen-a", "so-chinh") == "huyen-a"


def test_a_monitor_does_not_accept_the_report_of_his_own_department() -> None:
    monitor = Actor("account", "3", "so-chinh", ActorRole.MONITOR)
    assert not may(monitor, Deed.ACCEPT, concerned(Deed.ACCEPT, "so-chinh", "tinh"))


def test_must_says_no_in_words() -> None:
    with pytest.raises(NotAllowed, match="quyền"):
        must(Actor("contact", "1", "so-ban", ActorRole.COORDINATOR), Deed.CANCEL, "so-ban")
    must(DESK, Deed.CANCEL, "so-ban")


def test_every_contact_has_a_role_to_act_in_and_a_name_for_events() -> None:
    assert {ActorRole.of(role).value for role in Role} == {role.value for role in Role}
    assert (Actor("contact", "12", "x", ActorRole.HEAD).name, DESK.name) == ("contact:12", "desk")
