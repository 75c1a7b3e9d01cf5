"""Letter templates: the installation's own texts, tried on letters of their kind before saving."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping, Sequence
from typing import Annotated

from fastapi import APIRouter, Path
from fastapi.responses import HTMLResponse, Response

from engine.accounts.permissions import Permission
from engine.errors import BadInput, Conflict, DondocError, Problem
from engine.http.filters import Code, Plain
from engine.http.forms import Form
from engine.http.request_context import PostedForm, RequestContext, SignedIn
from engine.http.security import LETTER_POLICY
from engine.http.template_editor import Preview, TemplateFile
from engine.http.template_forms import MAX_TEMPLATE_CHARS, normalize_template, template_editor_of
from engine.text import Text

router = APIRouter(include_in_schema=False)
Name = Annotated[str, Plain, Path(max_length=32)]
KINDS: Mapping[str, tuple[str, str, str, str]] = {
    "duties": (
        "Thư cho đầu mối và người đứng đầu",
        "Letters to coordinators and heads",
        "việc mới, nhắc trước hạn, quá hạn, trả lại",
        "new duties, reminders, overdue, returned",
    ),
    "watch": (
        "Thư cho bộ phận theo dõi",
        "Letters to monitors",
        "việc chờ quyết định, cơ quan đã được đôn đốc, tổng hợp tuần",
        "what waits for a decision, who was chased, the weekly digest",
    ),
    "director": (
        "Thư cho lãnh đạo cơ quan theo dõi",
        "Letters to the head of the supervising department",
        "quá hạn kéo dài của các cơ quan; báo cáo, đề nghị chờ quá lâu",
        "what stays overdue at the agencies; reports and requests that wait for too long",
    ),
    "leadership": (
        "Thư cho lãnh đạo",
        "Letters to the leadership",
        "bốn ô số liệu và mười việc quá hạn lâu nhất",
        "the four boxes and the ten latest",
    ),
    "answer": (
        "Thư trả lời tin không hiểu được",
        "Answers to messages that could not be understood",
        "một lần, lịch sự, chỉ cách làm",
        "once, politely, with what to do",
    ),
    "signin": ("Thư đăng nhập", "Sign-in letters", "liên kết dùng một lần", "a link that works once"),
    "account": (
        "Thư báo về tài khoản",
        "Letters about accounts",
        "mật khẩu, khóa truy cập, trình duyệt mới",
        "password, key, browser",
    ),
    "deputy": (
        "Thư báo có người thay",
        "Letters about a deputy",
        "gửi ngay cho đầu mối và lãnh đạo cơ quan, kèm cách thôi",
        "at once to coordinator and head, with a way to end it",
    ),
    "sms": ("Tin nhắn", "SMS", "nhiều nhất hai phần tin, không dấu", "two parts at most"),
    "shared": (
        "Câu chữ dùng chung",
        "Shared texts",
        "tên các phần, câu mở đầu, cách viết một dòng",
        "titles, opening sentences, how a line is written",
    ),
}


@router.get("/admin/templates")
def listing(ctx: SignedIn) -> Response:
    editor = template_editor_of(ctx, Permission.SEE_TEMPLATES)
    found = [
        (kind, [(language, any(each.own for each in editor.files(language, kind))) for language in editor.languages])
        for kind in editor.kinds
    ]
    return ctx.page("templates.html", found=found, KINDS=KINDS)


@router.get("/admin/templates/{language}/{kind}")
def show(ctx: SignedIn, language: Name, kind: Name, said: Code = "") -> Response:
    files = template_editor_of(ctx, Permission.SEE_TEMPLATES).files(language, kind)
    return _page(ctx, language, kind, files, {each.part: each.text for each in files}, outcome=said)


@router.post("/admin/templates/{language}/{kind}")
def save(ctx: SignedIn, form: PostedForm, language: Name, kind: Name) -> Response:
    """«check» tries the texts and shows a preview, «save» also saves them; templates with errors are not saved."""
    editor = template_editor_of(ctx)
    files = editor.files(language, kind)
    texts = {each.part: form.raw(each.part)[: 2 * MAX_TEMPLATE_CHARS] for each in files}
    try:
        texts = _texts(form, files)
        problems = editor.problems(language, kind, texts)
        if problems:
            return _page(ctx, language, kind, files, texts, problems=problems, status=422)
        if form.raw("act") != "save":
            shown = editor.shown(language, kind, texts, ctx.now)
            return _page(ctx, language, kind, files, texts, shown=shown, seen=form.raw("seen"))
        if form.raw("seen") != _mark(files):
            raise Conflict(
                Text(
                    "Có người vừa sửa mẫu này; bản đang sửa vẫn ở dưới đây, hãy xem lại rồi lưu.",
                    "Someone has just changed this template; yours is still below, check it again and save.",
                )
            )
        changed = editor.save(language, kind, texts, **ctx.by)
    except (BadInput, Conflict) as error:
        return _page(ctx, language, kind, files, texts, trouble=error, status=error.status)
    return ctx.go(f"/admin/templates/{language}/{kind}", said="saved" if changed else "same")


@router.post("/admin/templates/{language}/{kind}/html")
def html(ctx: SignedIn, form: PostedForm, language: Name, kind: Name) -> Response:
    """The HTML part alone, for the frame beside the form."""
    editor = template_editor_of(ctx)
    texts = _texts(form, editor.files(language, kind))
    headers = {"content-security-policy": LETTER_POLICY}
    if editor.problems(language, kind, texts):
        return HTMLResponse("<p>Mẫu còn lỗi: hãy kiểm tra trước. / Check the template first.</p>", 422, headers)
    return HTMLResponse(editor.shown(language, kind, texts, ctx.now).html, headers=headers)


@router.post("/admin/templates/{language}/{kind}/reset")
def reset(ctx: SignedIn, form: PostedForm, language: Name, kind: Name) -> Response:
    """Restore the shipped templates."""
    editor = template_editor_of(ctx)
    texts = {each.part: each.shipped for each in editor.files(language, kind)}
    changed = editor.save(language, kind, texts, **ctx.by)
    return ctx.go(f"/admin/templates/{language}/{kind}", said="reset" if changed else "same")


def _page(
    ctx: RequestContext,
    language: str,
    kind: str,
    files: Sequence[TemplateFile],
    texts: Mapping[str, str],
    *,
    problems: Sequence[Problem] = (),
    shown: Preview | None = None,
    trouble: DondocError | None = None,
    outcome: str = "",
    status: int = 200,
    seen: str = "",
) -> Response:
    by_part = {each.part: [p for p in problems if each.name in p.file.split(", ")] for each in files}
    rest = [each for each in problems if not any(each in found for found in by_part.values())]
    return ctx.page(
        "template.html",
        status,
        spoken=language,
        kind=kind,
        files=files,
        texts=texts,
        by_part=by_part,
        rest=rest,
        count=len(problems),
        shown=shown,
        sentence=trouble.said(ctx.language) if trouble else "",
        outcome=outcome,
        seen=seen or _mark(files),
        KINDS=KINDS,
    )


def _texts(form: Form, files: Sequence[TemplateFile]) -> dict[str, str]:
    return {each.part: normalize_template(form.raw(each.part), each) for each in files}


def _mark(files: Sequence[TemplateFile]) -> str:
    """Fingerprint of the texts on the page, so that a change made by someone else meanwhile is not overwritten."""
    return hashlib.sha256("\0".join(each.text for each in files).encode()).hexdigest()[:16]
