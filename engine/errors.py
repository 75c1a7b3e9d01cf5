"""Every error a person may meet, in one tree.

    DondocError                 status 500   (never raised itself)
    ├── BadInput                status 400   what was sent cannot be read as what was asked
    │   ├── FileRefused         status 422   a plan, directory, policy or calendar file; carries Problems
    │   └── FieldsRefused       status 422   some fields of a form or body; carries a sentence for each
    ├── NotAllowed              status 403   the person or the link may not do this
    │   ├── LinkRefused         status 403   a link from a letter: expired, revoked, or made by someone else
    │   └── TooOften            status 429   tried more often than allowed; says when to try again
    ├── NotFound                status 404   no such plan, assignment, letter …
    ├── Conflict                status 409   someone else changed it first, or it exists already
    │   └── ForbiddenMove       status 409   the state of the assignment does not allow the act
    └── Unavailable             status 503   database or another part is out of reach; nothing was lost

The message is one or two plain sentences: what is wrong, where, and what to do; Vietnamese, then « / », then
English. The docstring is the default message. Faces turn an error into a page, problem+json or an exit code;
nothing else catches it.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime


class DondocError(Exception):
    """Có lỗi bên trong hệ thống; nhật ký ghi rõ. / Something went wrong inside; the log says what."""

    status = 500

    def __init__(self, message: str | None = None) -> None:
        super().__init__(message or (type(self).__doc__ or "").strip().splitlines()[0])

    def said(self, language: str) -> str:
        """The message in one language; whole where it was not written in two."""
        return half(str(self), language)


def half(message: str, language: str) -> str:
    """One language of a message that holds both."""
    vi, slash, en = message.partition(" / ")
    return en if language == "en" and slash else vi


class BadInput(DondocError):
    """Không đọc được nội dung gửi lên. / What was sent could not be read."""

    status = 400


@dataclass(frozen=True)
class Problem:
    """One mistake in a file: where it stands, what it is, how to mend it. ``line`` is 1-based, 0 if unknown."""

    file: str
    line: int
    field: str
    what: str
    mend: str

    def __str__(self) -> str:
        return f"{self.file}:{self.line}: {self.field}: {self.what} → {self.mend}"


class FileRefused(BadInput):
    """Tệp có lỗi; chưa nạp gì. / The file has mistakes; nothing of it was loaded."""

    status = 422

    def __init__(self, problems: Sequence[Problem]) -> None:
        self.problems = tuple(problems)
        super().__init__("\n".join(str(problem) for problem in self.problems))


class FieldsRefused(BadInput):
    """Có ô chưa đúng. / Some fields are not right."""

    status = 422

    def __init__(self, fields: Mapping[str, str]) -> None:
        """Field -> what is wrong with it, in both languages."""
        self.fields = dict(fields)
        super().__init__(" / ".join(self.said(language) for language in ("vi", "en")))

    def said(self, language: str) -> str:
        return " ".join(half(each, language) for each in self.fields.values())


class NotAllowed(DondocError):
    """Bạn không có quyền làm việc này. / You may not do this."""

    status = 403


class LinkRefused(NotAllowed):
    """Liên kết này không còn dùng được; hãy mở thư mới nhất. / This link is no longer valid; open the newest letter."""


class TooOften(NotAllowed):
    """Đã thử quá nhiều lần; hãy chờ một lát. / Tried too often; wait a while."""

    status = 429

    def __init__(self, message: str | None = None, again: datetime | None = None) -> None:
        super().__init__(message)
        self.again = again


class NotFound(DondocError):
    """Không tìm thấy. / There is no such thing here."""

    status = 404


class Conflict(DondocError):
    """Có người vừa sửa mục này; hãy tải lại trang. / Someone changed this just now; reload and look again."""

    status = 409


class ForbiddenMove(Conflict):
    """Trạng thái phần việc không cho phép. / The state of this assignment does not allow that."""


class Unavailable(DondocError):
    """Một bộ phận tạm thời không dùng được; không mất gì, hãy thử lại. / A part is out of reach; nothing was lost."""

    status = 503
