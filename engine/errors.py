"""All errors that reach a user, as one tree.

    DondocError                 status 500   (never raised itself)
    ├── BadInput                status 400   the request or input cannot be parsed
    │   └── FieldsRefused       status 422   some fields of a form or body; carries a sentence for each
    ├── NotAllowed              status 403   the user or the link lacks the permission
    │   ├── LinkRefused         status 403   a link from a letter: expired, revoked or forged
    │   └── TooOften            status 429   rate limit exceeded; carries the time of the next allowed attempt
    ├── NotFound                status 404   no such plan, assignment, letter …
    ├── Conflict                status 409   someone else changed it first, or it already exists
    │   └── ForbiddenMove       status 409   the action is not valid in the assignment's state
    └── Unavailable             status 503   the database or another component cannot be reached; nothing was lost
        └── Busy                status 503   others wait for the same already; says after how many seconds to try again

The message is one or two plain sentences in both languages: what is wrong, where, and what to do. The pages, the
API and the command line turn an error into a page, problem+json or an exit code; nothing else catches it.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime

from engine.text import LANGUAGES, Text


class DondocError(Exception):
    """Base class. ``text`` is the message shown to users; it defaults to the class's ``default``."""

    status = 500
    default = Text("Có lỗi bên trong hệ thống; nhật ký ghi rõ.", "Something went wrong inside; the log says what.")

    def __init__(self, text: Text | None = None) -> None:
        self.text = text or self.default
        super().__init__(str(self.text))

    def said(self, language: str) -> str:
        """The message in one language."""
        return self.text.said(language)


class BadInput(DondocError):
    default = Text("Không đọc được nội dung gửi lên.", "What was sent could not be read.")

    status = 400


@dataclass(frozen=True)
class Problem:
    """One mistake in a file: its location, what is wrong and how to fix it. ``line`` is 1-based, 0 if unknown."""

    file: str
    line: int
    field: str
    what: Text
    fix: Text

    def __str__(self) -> str:
        return f"{self.file}:{self.line}: {self.field}: {self.what} → {self.fix}"

    def said(self, language: str) -> str:
        return f"{self.file}:{self.line}: {self.field}: {self.what.said(language)} → {self.fix.said(language)}"


class FileRefused(BadInput):
    default = Text("Tệp có lỗi; chưa nạp gì.", "The file has mistakes; nothing of it was loaded.")

    status = 422

    def __init__(self, problems: Sequence[Problem]) -> None:
        self.problems = tuple(problems)
        vi, en = ("\n".join(problem.said(language) for problem in self.problems) for language in LANGUAGES)
        super().__init__(Text(vi, en))

    def __str__(self) -> str:
        return "\n".join(map(str, self.problems))


class FieldsRefused(BadInput):
    default = Text("Có ô chưa đúng.", "Some fields are not right.")

    status = 422

    def __init__(self, fields: Mapping[str, Text]) -> None:
        """``fields`` maps the name of each refused field to what is wrong with it."""
        self.fields = dict(fields)
        super().__init__(Text.joined(" ", self.fields.values()))


class NotAllowed(DondocError):
    default = Text("Tài khoản hoặc liên kết này không có quyền thực hiện thao tác.", "You may not do this.")

    status = 403


class LinkRefused(NotAllowed):
    default = Text(
        "Liên kết này không còn dùng được; hãy mở thư mới nhất.",
        "This link is no longer valid; open the newest letter.",
    )


class TooOften(NotAllowed):
    default = Text("Đã thử quá nhiều lần; hãy chờ một lát.", "Tried too often; wait a while.")

    status = 429

    def __init__(self, text: Text | None = None, again: datetime | None = None) -> None:
        """``again``: when the next attempt is allowed (aware UTC)."""
        super().__init__(text)
        self.again = again


class NotFound(DondocError):
    default = Text("Không tìm thấy.", "There is no such thing here.")

    status = 404


class Conflict(DondocError):
    default = Text(
        "Có người vừa sửa mục này; hãy tải lại trang.", "Someone changed this just now; reload and look again."
    )

    status = 409


class ForbiddenMove(Conflict):
    default = Text("Trạng thái việc không cho phép.", "The state of this assignment does not allow that.")


class Unavailable(DondocError):
    default = Text(
        "Hệ thống tạm thời gián đoạn; dữ liệu đã lưu không bị mất, hãy thử lại sau ít phút.",
        "A part is out of reach; nothing was lost.",
    )

    status = 503


class Busy(Unavailable):
    default = Text(
        "Hệ thống đang bận xử lý việc cùng loại; chưa có gì được ghi nhận, đề nghị thử lại sau ít phút.",
        "The server is busy with work of this kind; nothing was recorded, try again in a few minutes.",
    )

    again_seconds = 60
