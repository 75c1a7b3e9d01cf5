"""An auditor reads everything and changes nothing: one row of the table of permissions, and no page more."""

from __future__ import annotations

from pathlib import Path
from urllib.parse import urlsplit

import pytest
from ground.office import Office, as_role, everything
from ground.walk import routes, survey

from engine.accounts import permissions
from engine.accounts.permissions import TABLE, ActorRole, Permission, Reach
from engine.store.database import Database

PERSONAL = {Permission.MAKE_FEED, Permission.MAKE_TOKEN, Permission.SET_PREFERENCES}
AUDITOR = dict.fromkeys((each for each in Permission if each.value.startswith("see_")), Reach.ANY) | dict.fromkeys(
    PERSONAL, Reach.OWN
)
SEEN_BY = {
    Permission.CHASE: Permission.SEE_PAPERS,
    **{each: Permission(each.value.replace("keep_", "see_")) for each in Permission if each.value.startswith("keep_")},
}
"""What is kept -> the permission to see it."""
ACTS = {
    "/accept",
    "/admin/add-account",
    "/admin/add-agency",
    "/admin/agencies/{agency_id}/aliases",
    "/admin/agencies/{agency_id}/contacts/add",
    "/admin/agencies/{agency_id}/handover",
    "/admin/agencies/{agency_id}/succession",
    "/admin/calendar/preview",
    "/admin/contact-sheet",
    "/admin/contact-sheet/template.xlsx",
    "/admin/contacts/{contact_id}",
    "/admin/groups/new",
    "/admin/groups/{group_id}",
    "/admin/policies/{policy_id}/edit",
    "/admin/settings/address",
    "/admin/settings/{channel}",
    "/duties/{duty_id}/amend",
    "/extensions",
    "/incoming",
    "/incoming/waiting",
    "/incoming/{message_id}",
    "/papers/settings/{agency_id}",
    "/papers/settings/{agency_id}/letterhead.docx",
    "/plans/drafts/{draft_id}",
    "/plans/drafts/{draft_id}/duties/{key}",
    "/plans/drafts/{draft_id}/file.yaml",
    "/plans/drafts/{draft_id}/lines/{line}",
    "/plans/drafts/{draft_id}/names/{n}",
    "/plans/import",
    "/plans/load",
    "/plans/past",
    "/plans/{plan_id}/activate",
    "/plans/{plan_id}/duties/new",
    "/plans/{plan_id}/end",
    "/plans/{plan_id}/renew",
    "/plans/{plan_id}/reports/new",
    "/plans/{plan_id}/successions",
    "/plans/{plan_id}/years",
    "/promises",
    "/queue",
    "/reorganisation",
    "/report/{agency_id}/{plan_id}/{period}",
    "/report/{agency_id}/{plan_id}/{period}/thread",
    "/wishes/{contact_id}",
}
"""Pages that are a form and nothing else, work that waits for who decides it, documents under review."""
OWN = ("/account", "/sign-out", "/agencies/tinh/feeds", "/wishes/", "/views")
"""What everybody does for themselves."""
BY_LINK = ("/l/", "/r/", "/u/", "/d/", "/arrived/", "/sign-in")


@pytest.fixture
def auditor(lived: Database, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Office:
    monkeypatch.setattr(permissions, "TABLE", {**TABLE, ActorRole.LEADERSHIP: AUDITOR})
    return as_role(lived, tmp_path, "leadership", "tinh")


def test_whoever_keeps_something_sees_it() -> None:
    for row in TABLE.values():
        assert {keeps: row[SEEN_BY[keeps]] for keeps in SEEN_BY if keeps in row}.keys() <= row.keys()
        for keeps, sees in SEEN_BY.items():
            assert keeps not in row or row[sees] in (row[keeps], Reach.FOLLOWED, Reach.ANY)


def test_an_auditor_reads_every_page_that_is_not_a_form(auditor: Office) -> None:
    pages = [each for each in survey(auditor).addresses if each.method == "GET"]
    refused = {each.path for each in pages if auditor.get(each.filled()).status_code == 403}
    assert {each for each in refused if not each.startswith(BY_LINK)} == ACTS


def test_no_page_offers_an_auditor_a_form_that_would_be_refused(auditor: Office) -> None:
    offered = {urlsplit(path).path for path in survey(auditor).forms}
    assert [path for path in sorted(offered) if not path.startswith(OWN)] == []


def test_an_auditor_changes_nothing(auditor: Office, lived: Database) -> None:
    before = everything(lived)
    for each in routes("POST"):
        if not each.path.startswith((*OWN, *BY_LINK)):
            auditor.post(each.filled())
    assert everything(lived) == before
