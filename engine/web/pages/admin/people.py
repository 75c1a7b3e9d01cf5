"""The administration of who there is: agencies, their contacts."""

from __future__ import annotations

from fastapi import APIRouter

from engine.web.pages.admin import agencies, contacts

router = APIRouter()
for page in (agencies, contacts):
    router.include_router(page.router)
