"""Who may do what: the whole table, role by deed, for one's own body and another's."""

from __future__ import annotations

import pytest

from engine.accounts.permissions import DESK, Actor, ActorRole, Permission, concerned, may, require
from engine.errors import NotAllowed
from engine.terms import CONTACT_ROLES

# deed -> reach of coordinator, deputy, head, monitor, leadership, administrator: «own» body, «any», «-», or
# «fol»: one's own and those that one's department follows.
GRID = """
see_board         -    -    -    any  any  any
see_assignment    own  own  own  any  any  any
see_letters       -    -    -    fol  -    any
see_plans         any  any  any  any  any  any
see_health        -    -    -    -    -    any
see_evidence      own  own  own  fol  -    any
see_figures       -    -    -    any  any  any
see_standing      -    -    -    any  any  any
see_contacts      own  own  own  fol  -    any
see_agencies      -    -    -    -    -    any
see_policies      -    -    -    -    -    any
see_calendar      -    -    -    -    -    any
see_accounts      -    -    -    -    -    any
see_webhooks      -    -    -    -    -    any
see_papers        -    -    -    own  -    any
see_settings      -    -    -    -    -    any
keep_settings     -    -    -    -    -    any
see_log           -    -    -    -    -    any
acknowledge       own  own  own  -    -    any
decline           own  own  own  -    -    any
report            own  own  own  -    -    any
ask_extension     own  own  own  -    -    any
raise             own  own  own  -    -    any
add_part          own  own  own  -    -    any
handle_messages   own  own  own  own  -    any
accept            -    -    -    own  -    any
return            -    -    -    own  -    any
decide_extension  -    -    -    own  -    any
answer            -    -    -    own  -    any
chase             -    -    -    own  -    any
cancel            -    -    -    own  -    any
transfer          -    -    -    own  -    any
name_deputy       own  -    own  -    -    any
set_preferences   own  own  own  own  own  any
make_feed         own  own  own  own  own  any
make_token        own  own  own  own  own  any
add_duty          -    -    -    own  -    any
amend_duty        -    -    -    own  -    any
freeze            -    -    -    own  -    any
load_plan         -    -    -    -    -    any
run_plans         -    -    -    -    -    any
keep_agencies     -    -    -    -    -    any
keep_contacts     -    -    own  -    -    any
keep_policies     -    -    -    -    -    any
keep_calendar     -    -    -    -    -    any
keep_accounts     -    -    -    -    -    any
keep_webhooks     -    -    -    -    -    any
step_clock        -    -    -    -    -    any
"""
ROLES = (
    ActorRole.COORDINATOR,
    ActorRole.DEPUTY,
    ActorRole.HEAD,
    ActorRole.MONITOR,
    ActorRole.LEADERSHIP,
    ActorRole.ADMINISTRATOR,
)
ROWS = [line.split() for line in GRID.strip().splitlines()]


def test_the_grid_names_every_deed_and_role_once() -> None:
    assert sorted(row[0] for row in ROWS) == sorted(Permission)
    assert sorted(ROLES) == sorted(ActorRole)


@pytest.mark.parametrize(
    ("role", "deed", "reach"), [(role, Permission(row[0]), row[n]) for row in ROWS for n, role in enumerate(ROLES, 1)]
)
def test_a_role_may_do_what_the_grid_says_and_nothing_else(role: ActorRole, deed: Permission, reach: str) -> None:
    actor = Actor("account", "3", "so-ban", role)
    assert may(actor, deed, "so-ban") == (reach != "-")
    assert may(actor, deed, "huyen-a") == (reach == "any")
    assert may(actor, deed, "huyen-a", followed={"huyen-a"}) == (reach in ("any", "fol"))
    assert may(actor, deed) == (reach == "any")


def test_nobody_without_a_body_may_do_what_is_for_ones_own() -> None:
    assert not may(Actor("contact", "1", "", ActorRole.COORDINATOR), Permission.REPORT, "")


def test_what_the_department_decides_concerns_the_department() -> None:
    assert concerned(Permission.ACCEPT, "huyen-a", "so-chinh") == "so-chinh"
    assert concerned(Permission.REPORT, "huyen-a", "so-chinh") == "huyen-a"


def test_a_monitor_does_not_accept_the_report_of_his_own_department() -> None:
    monitor = Actor("account", "3", "so-chinh", ActorRole.MONITOR)
    assert not may(monitor, Permission.ACCEPT, concerned(Permission.ACCEPT, "so-chinh", "tinh"))


def test_must_says_no_in_words() -> None:
    with pytest.raises(NotAllowed, match="quyền"):
        require(Actor("contact", "1", "so-ban", ActorRole.COORDINATOR), Permission.CANCEL, "so-ban")
    require(DESK, Permission.CANCEL, "so-ban")


def test_every_contact_has_a_role_to_act_in_and_a_name_for_events() -> None:
    assert {ActorRole.of(role).value for role in CONTACT_ROLES} == {role.value for role in CONTACT_ROLES}
    assert (Actor("contact", "12", "x", ActorRole.HEAD).name, DESK.name) == ("contact:12", "desk")
