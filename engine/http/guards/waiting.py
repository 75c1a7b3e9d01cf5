"""A slow answer: returned at once if it is ready within a second, else by a page that waits for it and then shows it.

    return answered(ctx, READING, ("import", digest), read, shown)

``read`` does the work in a thread, once however often it is requested, also with several serving processes;
``shown(ctx, read)`` calls it for the result or the error, and renders the same page whether the reader had to wait or
not. The work of a GET writes nothing and is registered only if it is slow.

/working/{ticket} is the page that waits.
"""

from __future__ import annotations

import hashlib
import secrets
from collections.abc import Callable
from concurrent.futures import Future
from dataclasses import replace
from typing import Annotated, TypeVar

from fastapi import APIRouter, Path, Request
from fastapi.responses import HTMLResponse, Response

from engine.errors import Conflict, DondocError, NotFound
from engine.http import error_pages
from engine.http.long_work import JobAnswer, Progress
from engine.http.request_context import RequestContext, SignedIn
from engine.store.clock import system_clock
from engine.store.pending_answers import PERCENT, Begun, find, joins, mark_seen
from engine.text import LANGUAGES, Text

router = APIRouter(include_in_schema=False)
Ticket = Annotated[str, Path(pattern="^[0-9a-f]{32}$")]
T = TypeVar("T")
Show = Callable[[RequestContext, Callable[[], T]], Response]


class NotHere(NotFound):
    default = Text(
        "Việc này không còn trên máy chủ: đã xong từ lâu, hoặc do người khác bắt đầu. Hãy làm lại từ trang trước.",
        "This work is no longer on the server: it ended long ago, or somebody else began it. Do it again from the "
        "page before.",
    )


class Stopped(Conflict):
    default = Text(
        "Máy chủ đang làm việc này đã dừng giữa chừng. Không có gì lưu dở dang: việc đã ghi trọn, hoặc chưa ghi gì. "
        "Hãy mở lại trang trước xem đã có kết quả chưa; nếu chưa, làm lại.",
        "The server that was doing this stopped in the middle. Nothing was left half saved: it was recorded whole or "
        "not at all. Open the page before and see whether the result is there; if not, do it again.",
    )


def answered(
    ctx: RequestContext,
    words: Text,
    what: tuple[object, ...],
    act: Callable[[], T],
    show: Show[T],
    progress: Progress | None = None,
) -> Response:
    """The page of the result, or, while the work goes on, a redirect to the page that waits. ``what``: key that
    identifies this job among those of the same person; ``progress``: updated by the work."""
    owner, work, database = ctx.actor.name, ctx.tools.work, ctx.app.database
    ticket = hashlib.sha256(repr((owner, *what)).encode()).hexdigest()[:32]
    begun, place = Begun(ticket, owner, words, secrets.token_hex(8)), f"/working/{ticket}"
    reads = ctx.request.method in ("GET", "HEAD")
    with database.read() as session:
        if joins(find(session, ticket, owner), system_clock(), work.stale):
            return ctx.with_cookies(ctx.go(place))
    turn = work.turns.ask(owner, ctx.now)
    if not reads and not work.begin(database, begun):
        turn.end()
        return ctx.with_cookies(ctx.go(place))
    future = work.start(act, turn)
    later = ctx if reads else replace(ctx, request=_get(ctx.request, place))
    if not reads:
        work.keep(database, begun, future, lambda: _kept(later, future, show), progress)
    if work.is_quick(future):
        if not reads:  # shown here: the same press later is a new one
            with database.write() as session:
                mark_seen(session, ticket, begun.runner)
        try:
            return show(ctx, _result_of(future))
        finally:
            turn.end()
    future.add_done_callback(lambda _: turn.end())
    if reads and work.begin(database, begun):
        work.keep(database, begun, future, lambda: _kept(later, future, show), progress)
    return ctx.with_cookies(ctx.go(place))


@router.get("/working/{ticket}")
def awaited(ctx: SignedIn, ticket: Ticket) -> Response:
    """The waiting page while the work runs, in any process; afterwards its answer, also when opened again."""
    now, database = system_clock(), ctx.app.database
    with database.read() as session:
        row = find(session, ticket, ctx.actor.name)
    if row is None:
        raise NotHere
    if row.ended_at is None:
        if row.beat_at < now - ctx.tools.work.stale:
            raise Stopped
        words = Text(row.words["vi"], row.words["en"]).said(ctx.language)
        seconds, again = round((now - row.began_at).total_seconds()), ctx.here()
        percent = row.words.get(PERCENT, "")
        response = ctx.page("working.html", 202, words=words, seconds=seconds, percent=percent, again=again)
        response.headers["refresh"] = f"1; url={again}"  # every second, without a script
        response.headers["cache-control"] = "no-store"
        return response
    if not row.seen:
        with database.write() as session:
            mark_seen(session, ticket, row.runner)
    if row.location:
        return ctx.go(row.location)
    page = row.page_en if ctx.language == "en" else row.page_vi
    return ctx.with_cookies(HTMLResponse(page or "", row.status))


def _kept(ctx: RequestContext, future: Future[T], show: Show[T]) -> JobAnswer:
    """The answer in every language; of an error, its page."""
    pages: dict[str, str] = {}
    for language in LANGUAGES:
        request = _get(ctx.request, ctx.path, f"lang={language}")
        try:
            response = show(replace(ctx, language=language, chosen=True), _result_of(future))
        except DondocError as error:
            response = error_pages.answer(request, error.status, error.said(language))
        except Exception as error:  # noqa: BLE001 - logged under the number that the page gives
            response = error_pages.unexpected(request, error)
        if "location" in response.headers:
            return JobAnswer(response.status_code, response.headers["location"], {})
        pages[language] = bytes(response.body).decode()
    return JobAnswer(response.status_code, "", pages)


def _result_of(future: Future[T]) -> Callable[[], T]:
    return lambda: future.result(0)


def _get(request: Request, path: str, query: str = "") -> Request:
    """The request as if made for that page, so that its links (such as to the other language) lead back to it."""
    asked = {"method": "GET", "path": path, "raw_path": path.encode(), "query_string": query.encode(), "state": {}}
    return Request({**request.scope, **asked})
