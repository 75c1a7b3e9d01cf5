"""What every operation of the API is called, in both languages, and an example of what it is sent.

Pure data, held to the routes by tests: none is missing here, none is too many, and every example is accepted.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from engine.text import Text


@dataclass(frozen=True)
class Operation:
    """``body``: what is sent, None for a GET. ``query``: a telling filter."""

    name: Text
    body: Mapping[str, object] | None = None
    query: str = ""


def _read(vi: str, en: str, query: str = "") -> Operation:
    return Operation(Text(vi, en), query=query)


def _write(vi: str, en: str, **body: object) -> Operation:
    return Operation(Text(vi, en), body)


_REASON = "Theo Công văn số 512/SLĐTBXH ngày 10/6/2021."
_POLICY = (
    "schema: dondoc/policy@1\nid: default\nname: Chính sách nhắc việc\nladders:\n  order:\n    name: Giao việc\n"
    "    rungs:\n      - {rung: T-3, due: -3, to: [coordinator], kind: reminder}\n"
)
_PLAN = "schema: dondoc/plan@1\nnumber: 12/KH-UBND\nissuer: ubnd-tinh\n"
_DAY = {"day": "2021-09-03", "kind": "holiday", "name": "Nghỉ Quốc khánh", "basis": "Thông báo 2289/TB-LĐTBXH"}
_CONTACT = {"role": "coordinator", "email": "vanthu@huyen.example", "phone": "0912345678", "label": "Văn thư"}

OPERATIONS: Mapping[str, Operation] = {
    # reading
    "GET /plans": _read("Các kế hoạch", "List plans", "limit=10"),
    "GET /plans/{plan_id}": _read("Một kế hoạch và nhiệm vụ của nó", "Read a plan and its duties"),
    "GET /assignments": _read("Các phần việc, có lọc", "List assignments by filters", "class=open_overdue&limit=10"),
    "GET /assignments/{assignment_id}": _read("Một phần việc và diễn biến", "Read an assignment and its story"),
    "GET /board": _read("Bảng theo dõi: bốn ô số liệu", "Read the board: the four boxes", "period=2021-H1"),
    "GET /metrics": _read("Tỷ lệ báo cáo theo tên của DHIS2", "Read reporting rates under DHIS2's names"),
    "GET /overdue": _read("Việc quá hạn theo cơ quan", "List what is overdue, by agency"),
    "GET /letters": _read("Các thư", "List letters", "state=refused&limit=10"),
    "GET /letters/{letter_id}": _read("Một thư như đã gửi", "Read a letter as it was sent"),
    "GET /agencies": _read("Các cơ quan và số việc", "List agencies with their counts"),
    "GET /agencies/{agency_id}": _read("Bàn làm việc của một cơ quan", "Read an agency's desk"),
    "GET /health": _read("Tình trạng hệ thống", "Read the system's health"),
    # account
    "GET /account": _read("Khóa này là của ai, làm được gì", "Read whose key this is and what it may do"),
    "GET /account/sessions": _read("Đang đăng nhập ở đâu", "List sessions"),
    "POST /account/sessions/{session_id}/end": _write("Kết thúc một phiên", "End a session"),
    "POST /account/sessions/end-others": _write("Kết thúc mọi phiên khác", "End all other sessions"),
    "GET /account/tokens": _read("Các khóa của tôi", "List the caller's keys"),
    "POST /account/tokens": _write("Lập khóa", "Make a key", label="Kho số liệu", scopes=["read"], days=90),
    "POST /account/tokens/{token_id}/revoke": _write("Thu hồi khóa", "Revoke a key"),
    # desk
    "POST /agencies/{agency_id}/evidence": _write(
        "Tải lên tệp minh chứng", "Upload a file of evidence", name="bien-ban.pdf", content="JVBERi0xLjQKJSVFT0YK"
    ),
    "GET /agencies/{agency_id}/evidence/{digest}": _read("Tải về tệp minh chứng", "Download a file of evidence"),
    "POST /assignments/acknowledge": _write("Xác nhận nhiều phần việc", "Acknowledge several", ids=[418, 419]),
    "GET /wishes": _read("Cách nhận thư của tôi", "Read the caller's notification preferences"),
    "GET /contacts/{contact_id}/wishes": _read("Cách nhận thư của một đầu mối", "Read a contact's preferences"),
    "POST /contacts/{contact_id}/wishes": _write(
        "Dừng, gộp hoặc nhận lại một kênh", "Stop, slow or resume a channel", channel="email", do="slow"
    ),
    "POST /contacts/{contact_id}/deputies": _write(
        "Cử người thay",
        "Name a deputy",
        email="phogiup@huyen.example",
        valid_from="2021-07-01",
        valid_until="2021-07-14",
    ),
    "POST /contacts/{contact_id}/deputies/{deputy_id}/end": _write("Thôi người thay", "End a deputy"),
    "GET /agencies/{agency_id}/feeds": _read("Các địa chỉ lịch", "List calendar feeds"),
    "POST /agencies/{agency_id}/feeds": _write("Lập địa chỉ lịch", "Make a calendar feed", contact=None),
    "POST /agencies/{agency_id}/feeds/{feed_id}/revoke": _write("Thu hồi địa chỉ lịch", "Revoke a calendar feed"),
    # threads
    "GET /assignments/{assignment_id}/entries": _read("Trao đổi về một phần việc", "List the entries of a thread"),
    "POST /assignments/{assignment_id}/entries": _write(
        "Báo khó khăn, hỏi, báo tiến độ", "Write an entry", kind="difficulty", text="Chưa có kinh phí."
    ),
    "POST /assignments/{assignment_id}/question": _write(
        "Cơ quan theo dõi hỏi", "Ask the owner", text="Đề nghị cho biết số xã đã làm."
    ),
    "POST /assignments/{assignment_id}/entries/{entry_id}/answer": _write(
        "Trả lời", "Answer an entry", text="Đã bố trí từ nguồn sự nghiệp."
    ),
    "POST /assignments/{assignment_id}/part": _write(
        "Góp phần phối hợp", "Add a coordinating agency's part", agency="so-tai-chinh", text="Đã thẩm định dự toán."
    ),
    "POST /assignments/extension": _write(
        "Xin gia hạn nhiều phần việc", "Ask to extend several", ids=[418], until="2021-07-30", reason="Chờ số liệu xã."
    ),
    "GET /agencies/{agency_id}/coordinated": _read("Việc được giao phối hợp", "List what an agency helps with"),
    "GET /plans/{plan_id}/difficulties/{period}": _read("Khó khăn trong kỳ", "List the difficulties of a period"),
    # writing
    "POST /assignments/{assignment_id}/acknowledge": _write("Xác nhận đã nhận", "Acknowledge"),
    "POST /assignments/{assignment_id}/decline": _write(
        "Báo không thuộc nhiệm vụ", "Decline as not theirs", reason="Việc của Phòng Tư pháp."
    ),
    "POST /assignments/{assignment_id}/accept": _write("Tiếp nhận báo cáo", "Accept the report"),
    "POST /assignments/{assignment_id}/return": _write(
        "Trả lại báo cáo", "Return the report", reason="Đề nghị bổ sung số liệu cấp xã."
    ),
    "POST /assignments/{assignment_id}/extension": _write(
        "Xin gia hạn", "Ask for an extension", until="2021-07-30", reason="Chờ số liệu xã."
    ),
    "POST /assignments/{assignment_id}/extension/decision": _write(
        "Quyết định gia hạn", "Decide the extension", granted=True, answer="Đồng ý."
    ),
    "POST /assignments/{assignment_id}/cancel": _write("Hủy phần việc", "Cancel", reason=_REASON),
    "POST /assignments/{assignment_id}/transfer": _write("Chuyển giao", "Transfer", to="so-noi-vu", reason=_REASON),
    "POST /assignments/{assignment_id}/chase": _write("Đôn đốc", "Chase"),
    "POST /assignments/{assignment_id}/report": _write(
        "Báo cáo một phần việc", "Report one", outcome="done", body="Đã tổ chức 12 lớp tập huấn.", figures={}
    ),
    "POST /reports": _write(
        "Báo cáo cả kỳ",
        "Report a period",
        agency="so-van-hoa-the-thao",
        plan=1,
        period="2021-H1",
        duties=[{"assignment": 418, "outcome": "done", "body": "Đã tổ chức 12 lớp tập huấn."}],
    ),
    # monitoring
    "GET /reports/waiting": _read("Báo cáo chờ tiếp nhận", "List reports that wait", "limit=10"),
    "GET /extensions": _read("Đề nghị gia hạn đang chờ", "List extension requests that wait"),
    "POST /reports/accept": _write("Tiếp nhận nhiều báo cáo", "Accept several reports", reports=[77, 78]),
    "POST /reports/return": _write(
        "Trả lại nhiều báo cáo", "Return several reports", reports=[77], reason="Đề nghị bổ sung số liệu cấp xã."
    ),
    "POST /extensions/decide": _write(
        "Quyết định nhiều đề nghị gia hạn", "Decide several extensions", extensions=[5], granted=True, answer="Đồng ý."
    ),
    "POST /plans/{plan_id}/duties": _write(
        "Bổ sung nhiệm vụ",
        "Add a duty",
        text="Báo cáo nhanh tình hình địa bàn.",
        owners=["so-van-hoa-the-thao"],
        due="2021-07-15",
        basis=_REASON,
    ),
    "POST /plans/{plan_id}/reports": _write(
        "Yêu cầu báo cáo đột xuất", "Request an ad hoc report", due="2021-07-15", basis=_REASON
    ),
    "POST /duties/{duty_id}/amend": _write(
        "Sửa nhiệm vụ", "Amend a duty", basis=_REASON, text="Báo cáo tình hình địa bàn, kèm số liệu xã."
    ),
    "GET /plans/{plan_id}/figures": _read("Tổng hợp số liệu", "Read the consolidated figures"),
    # standing
    "GET /standing": _read("Tiến độ tại một ngày", "Read the progress on a day", "as_of=2021-06-17"),
    "GET /standing/changes": _read("Thay đổi giữa hai ngày", "List changes between two days"),
    "POST /plans/{plan_id}/freeze": _write("Công bố số liệu", "Publish figures", cut_off="2021-06-17"),
    "GET /published": _read("Các số liệu đã công bố", "List published figures"),
    "GET /published/{frozen_id}": _read("Một lần công bố", "Read published figures"),
    # templates
    "GET /templates/{language}/{kind}": _read("Mẫu thư", "Read letter templates"),
    "PUT /templates/{language}/{kind}": _write(
        "Sửa mẫu thư", "Save letter templates", texts={"subject.txt": "[Sở] cần đôn đốc"}, try_only=True
    ),
    # rules
    "GET /calendar/{year}": _read("Lịch của một năm", "Read a year's calendar"),
    "POST /calendar/preview": _write("Xem trước khi sửa lịch", "Preview a calendar change", set=[_DAY]),
    "POST /calendar": _write("Sửa lịch", "Change the calendar", set=[_DAY]),
    "GET /policies": _read("Các chính sách nhắc việc", "List reminder policies"),
    "GET /policies/{policy_id}": _read("Một chính sách", "Read a policy"),
    "PUT /policies/{policy_id}": _write("Thay chính sách", "Replace a policy", text=_POLICY),
    "POST /plans": _write("Nạp tệp kế hoạch", "Load a plan file", text=_PLAN),
    "POST /plans/check": _write("Thử tệp kế hoạch", "Check a plan file", text=_PLAN),
    "GET /plans/{plan_id}/activation": _read("Xem trước khi kích hoạt", "Rehearse the activation"),
    "POST /plans/{plan_id}/activate": _write("Kích hoạt kế hoạch", "Activate a plan", cadences={}),
    "POST /plans/{plan_id}/end": _write("Kết thúc kế hoạch", "End a plan", reason=_REASON),
    "POST /plans/{plan_id}/renewal": _write(
        "Dự thảo kế hoạch năm sau", "Draft next year's plan", year=2022, number="05/KH-UBND", issued_on="2022-01-12"
    ),
    "GET /settings": _read("Các thiết lập", "List the settings"),
    # people
    "GET /directory": _read("Tìm cơ quan theo tên", "Find agencies by name", "q=huyen"),
    "POST /directory": _write(
        "Thêm cơ quan", "Add an agency", id="xa-nam-dan", name="UBND xã Nam Đàn", level="xa", parent="ubnd-tinh"
    ),
    "GET /directory/{agency_id}": _read("Tên, kế thừa, đầu mối", "Read names, successions and contacts"),
    "POST /directory/{agency_id}/names": _write(
        "Đổi tên cơ quan", "Rename an agency", name="Sở Văn hóa, Thể thao và Du lịch", on="2025-03-01"
    ),
    "POST /directory/{agency_id}/succession": _write(
        "Ghi kế thừa", "Record a succession", to="so-noi-vu", on="2025-03-01", basis="Nghị quyết 41/NQ-HĐND"
    ),
    "POST /directory/{agency_id}/succession/{succession_id}/withdraw": _write(
        "Rút kế thừa ghi nhầm", "Withdraw a succession"
    ),
    "GET /directory/{agency_id}/handover": _read("Thử bàn giao", "Rehearse a handover"),
    "POST /directory/{agency_id}/handover": _write("Bàn giao việc đang mở", "Hand over open work", choices={}),
    "POST /directory/{agency_id}/contacts": _write("Thêm đầu mối", "Add a contact", **_CONTACT),
    "POST /contacts/{contact_id}": _write("Sửa đầu mối", "Change a contact", phone="0912345679"),
    "POST /contacts/{contact_id}/last-day": _write("Ghi ngày cuối", "Set a contact's last day", on="2021-12-31"),
    "POST /contacts/{contact_id}/left": _write("Đầu mối đã thôi", "Say that a contact has left"),
    "GET /accounts": _read("Các tài khoản", "List accounts", "q=huyen"),
    "POST /accounts": _write(
        "Thêm tài khoản", "Add an account", email="moi@huyen.example", role="coordinator", agency_id="ubnd-tp-vinh"
    ),
    "GET /accounts/{account_id}": _read("Một tài khoản", "Read an account"),
    "POST /accounts/{account_id}": _write("Sửa tài khoản", "Change an account", label="Văn thư"),
    "POST /accounts/{account_id}/password": _write("Đặt mật khẩu", "Set a password", password="một câu dài khó đoán"),
    "POST /accounts/{account_id}/sign-out": _write("Đăng xuất tài khoản", "Sign an account out"),
    "POST /accounts/{account_id}/deactivate": _write("Khóa tài khoản", "Deactivate an account"),
    "POST /accounts/{account_id}/reactivate": _write("Mở lại tài khoản", "Reactivate an account"),
    "GET /log": _read("Nhật ký", "Read the log", "kind=reported&limit=10"),
    # webhooks
    "GET /webhooks": _read("Các webhook", "List webhooks"),
    "POST /webhooks": _write(
        "Thêm webhook", "Add a webhook", url="https://esb.tinh.example/moi", events=["assignment.overdue"]
    ),
    "PUT /webhooks/{webhook_id}": _write(
        "Sửa webhook", "Change a webhook", url="https://esb.tinh.example/dondoc", label="Trục LGSP", events=[]
    ),
    "POST /webhooks/{webhook_id}/remove": _write("Xóa webhook", "Remove a webhook"),
    "POST /webhooks/{webhook_id}/switch": _write("Bật hoặc tắt webhook", "Switch a webhook", active=True),
    "POST /webhooks/{webhook_id}/secret": _write("Đổi bí mật ký tin", "Make a new secret"),
    "POST /webhooks/{webhook_id}/test": _write("Gửi tin thử", "Send a test"),
    "GET /webhooks/{webhook_id}/messages": _read("Các tin của một webhook", "List a webhook's messages"),
    "POST /webhooks/{webhook_id}/again": _write("Gửi lại", "Send again", since="2021-06-01"),
}
"""«METHOD /path» under /api/v1, in the order of the routes' groups."""

GROUPS: Mapping[str, Text] = {
    "reading": Text("Xem kế hoạch, phần việc, thư", "Reading plans, assignments, letters"),
    "desk": Text("Bàn làm việc của cơ quan chủ trì", "The owner's desk"),
    "writing": Text("Xác nhận, báo cáo, quyết định một phần việc", "Acting on one assignment"),
    "threads": Text("Trao đổi, khó khăn, phối hợp", "Threads, difficulties, coordination"),
    "monitoring": Text("Theo dõi: nhiều việc một lần", "Monitoring: many at once"),
    "standing": Text("Tiến độ và số liệu công bố", "Progress and published figures"),
    "rules": Text("Kế hoạch, lịch, chính sách, thiết lập", "Plans, calendar, policies, settings"),
    "people": Text("Danh bạ, tài khoản, nhật ký", "Directory, accounts, log"),
    "templates": Text("Mẫu thư", "Letter templates"),
    "webhooks": Text("Webhook", "Webhooks"),
    "account": Text("Tài khoản và khóa của người gọi", "The caller's account and keys"),
}
"""The groups (tags of the document), as the page shows them."""

PATH_VALUES: Mapping[str, str] = {
    "account_id": "3",
    "agency_id": "so-van-hoa-the-thao",
    "assignment_id": "418",
    "contact_id": "12",
    "deputy_id": "31",
    "digest": "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855",
    "duty_id": "9",
    "entry_id": "4",
    "feed_id": "2",
    "frozen_id": "1",
    "kind": "watch",
    "language": "vi",
    "letter_id": "205",
    "period": "2021-H1",
    "plan_id": "1",
    "policy_id": "default",
    "session_id": "8",
    "succession_id": "6",
    "token_id": "2",
    "webhook_id": "1",
    "year": "2021",
}
"""What stands in the examples' addresses."""


@dataclass(frozen=True)
class ErrorLine:
    status: int
    meaning: Text
    remedy: Text


ERROR_CATALOGUE: tuple[ErrorLine, ...] = (
    ErrorLine(
        400,
        Text("Không đọc được yêu cầu", "The request cannot be read"),
        Text("Sửa yêu cầu; «detail» nói chỗ nào. Gửi lại y nguyên không ích gì.", "Correct it; `detail` says where."),
    ),
    ErrorLine(
        401,
        Text("Thiếu khóa, khóa sai, hết hạn hoặc đã thu hồi", "No key, or a wrong, expired or revoked one"),
        Text("Lập khóa mới ở «Tài khoản của tôi».", "Make a new key on “My account”."),
    ),
    ErrorLine(
        403,
        Text("Tài khoản không có quyền, hoặc khóa thiếu phạm vi", "The account may not, or the key lacks the scope"),
        Text(
            "«detail» nêu phạm vi còn thiếu; lập khóa có phạm vi ấy.", "`detail` names the scope; make a key with it."
        ),
    ),
    ErrorLine(
        404,
        Text("Không có, hoặc không thuộc quyền xem", "There is none, or it is not yours to see"),
        Text("Kiểm tra số hiệu; danh sách cho số hiệu đúng.", "Check the id; the lists give ids."),
    ),
    ErrorLine(
        405,
        Text("Địa chỉ này không nhận phương thức ấy", "This address does not take that method"),
        Text("Xem phương thức ở trang này.", "See the method on this page."),
    ),
    ErrorLine(
        409,
        Text("Trạng thái không cho phép, hoặc có người vừa sửa", "The state forbids it, or somebody changed it"),
        Text("Đọc lại rồi quyết định; không tự gửi lại.", "Read it again and decide; do not just repeat."),
    ),
    ErrorLine(
        413,
        Text("Lớn quá 1 MB (tệp: 14 MB)", "Over 1 MB (files: 14 MB)"),
        Text("Chia nhỏ.", "Send less at once."),
    ),
    ErrorLine(
        415,
        Text("Không phải application/json", "Not application/json"),
        Text("Đặt Content-Type: application/json.", "Set Content-Type: application/json."),
    ),
    ErrorLine(
        422,
        Text("Có ô chưa hợp lệ, hoặc Idempotency-Key đã dùng cho việc khác", "A field is invalid, or the key was used"),
        Text("«errors» nêu từng ô; việc khác cần khóa mới.", "`errors` names each field; another act takes a new key."),
    ),
    ErrorLine(
        429,
        Text("Thử quá nhiều lần", "Tried too often"),
        Text("Chờ số giây ở Retry-After.", "Wait for the seconds in Retry-After."),
    ),
    ErrorLine(
        500,
        Text("Lỗi của hệ thống", "An error of ours"),
        Text("Báo quản trị kèm mã yêu cầu (X-Request-Id).", "Tell the administrator the X-Request-Id."),
    ),
    ErrorLine(
        503,
        Text("Đang bận hoặc cơ sở dữ liệu gián đoạn", "Busy, or the database is away"),
        Text(
            "Gửi lại sau ít giây (Retry-After, nếu có) với cùng Idempotency-Key.",
            "Repeat after some seconds (Retry-After, if given) with the same Idempotency-Key.",
        ),
    ),
)
