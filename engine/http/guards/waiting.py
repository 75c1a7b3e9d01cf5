"""An answer that takes long: given at once where it is quick, else by a page that waits for it and then shows it.

    return answered(ctx, READING, ("import", digest), read, shown)

``read`` does the work in a thread, once however often it is asked for; ``shown(ctx, read)`` calls it for the result,
or for the error, and makes the page: the same one whether the reader had to wait or not.
"""

from __future__ import annotations

import hashlib
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, TypeVar

from fastapi.responses import Response

from engine.errors import NotFound
from engine.http.request_context import RequestContext
from engine.text import Text

T = TypeVar("T")
Show = Callable[[RequestContext, Callable[[], T]], Response]


class NotHere(NotFound):
    default = Text(
        "Việc này không còn trên máy chủ: đã xong từ lâu, hoặc máy chủ đã khởi động lại giữa chừng. Không có gì lưu dở "
        "dang; hãy làm lại từ trang trước.",
        "This work is no longer on the server: it ended long ago, or the server was restarted. Nothing was left half "
        "saved; do it again from the page before.",
    )


@dataclass(frozen=True)
class Awaited:
    words: Text
    show: Show[Any]


def answered(
    ctx: RequestContext, words: Text, what: tuple[object, ...], act: Callable[[], T], show: Show[T]
) -> Response:
    """The page of the result, or, while the work goes on, a redirect to the page that waits. ``what`` tells the work
    from other work of the same person."""
    ticket = hashlib.sha256(repr(what).encode()).hexdigest()[:32]
    try:
        done, result = ctx.tools.work.run(_key(ctx, ticket), act, Awaited(words, show))
    except Exception as error:  # noqa: BLE001 - raised again where the page asks for the result
        return show(ctx, _raising(error))
    return show(ctx, lambda: result) if done else ctx.go(f"/working/{ticket}")


def awaited(ctx: RequestContext, ticket: str) -> Response:
    """While the work goes on: the page that says so. Then the page of its result, also when it is opened again."""
    key = _key(ctx, ticket)
    found = ctx.tools.work.about(key)
    if not isinstance(found, Awaited):
        raise NotHere
    if ctx.tools.work.running(key) is not None:
        return ctx.working(found.words.said(ctx.language), key, ctx.here())
    return found.show(ctx, lambda: ctx.tools.work.result(key))


def _key(ctx: RequestContext, ticket: str) -> tuple[str, str, str]:
    return "answer", ctx.actor.name, ticket


def _raising(error: Exception) -> Callable[[], Any]:
    def read() -> Any:
        raise error

    return read
