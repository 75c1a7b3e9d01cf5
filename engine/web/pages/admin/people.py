"""Router of the pages about people: agencies, contacts, handover, accounts, and the log."""

from __future__ import annotations

from fastapi import APIRouter

from engine.web.pages.admin import accounts, agencies, contact_sheet, contacts, groups, handover, home

router = APIRouter(include_in_schema=False)
for page in (agencies, groups, contacts, contact_sheet, handover, accounts, home):
    router.include_router(page.router)
