"""The administration of who there is: agencies, contacts, what is handed over, accounts, and the log of it all."""

from __future__ import annotations

from fastapi import APIRouter

from engine.web.pages.admin import accounts, agencies, contacts, handover, log

router = APIRouter()
for page in (agencies, contacts, handover, accounts, log):
    router.include_router(page.router)
