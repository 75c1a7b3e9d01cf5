"""The user's saved views: lists with their filters, each under a name."""

from __future__ import annotations

from fastapi import APIRouter
from fastapi.responses import Response

from engine.accounts.saved_views import MAX_NAME, MAX_PATH, delete_view, kept_path, save_view, views_of
from engine.http.filters import Code, SmallId
from engine.http.forms import FormFields
from engine.http.request_context import PostedForm, RequestContext, SignedIn

router = APIRouter(include_in_schema=False)


@router.get("/views")
def listing(ctx: SignedIn, path: str = "", said: Code = "") -> Response:
    """``path``: the list that is to be saved."""
    return _page(ctx, FormFields({"address": kept_path(path) if path else ""}), said)


@router.post("/views")
def save(ctx: SignedIn, form: PostedForm) -> Response:
    typed = FormFields.of(form, "name", "address", whole="name")
    name, path = typed.text("name", 2 * MAX_NAME), typed.text("address", 2 * MAX_PATH)

    def action() -> str:
        with ctx.writing() as session:
            return save_view(session, ctx.actor.name, name, path, ctx.now)

    kept = typed.do(action)
    return ctx.go(kept) if kept else _page(ctx, typed)


@router.post("/views/{view_id}/delete")
def remove(ctx: SignedIn, form: PostedForm, view_id: SmallId) -> Response:
    with ctx.writing() as session:
        delete_view(session, ctx.actor.name, view_id)
    return ctx.go("/views", said="deleted")


def _page(ctx: RequestContext, typed: FormFields, outcome: str = "") -> Response:
    with ctx.reading() as (session, _):
        views = views_of(session, ctx.actor.name)
    return ctx.page("views.html", typed.status, views=views, typed=typed, outcome=outcome)
