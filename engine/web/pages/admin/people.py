"""The administration of who there is: agencies, their contacts, what is handed over, accounts."""

from __future__ import annotations

from fastapi import APIRouter

from engine.web.pages.admin import accounts, agencies, contacts, handing

router = APIRouter()
for page in (agencies, contacts, handing, accounts):
    router.include_router(page.router)
