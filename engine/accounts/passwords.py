"""Passwords: strength rules, and hashing with argon2id (OWASP's 19 MiB and two passes).

No rules about capitals and symbols: they make people write passwords down. Length counts, and whatever an attacker
tries early is refused: zxcvbn estimates how many guesses a password takes, with Vietnamese words and the office's own
names.

Words that people in Vietnamese offices put into passwords, without diacritics and spaces; most used first. The
strength estimator knows the English ones.
"""

from __future__ import annotations

import functools
import re
import secrets
import threading
from collections.abc import Iterable, Iterator

from argon2 import PasswordHasher
from argon2.exceptions import InvalidHashError, VerificationError

from engine.errors import BadInput
from engine.files.directory import fold
from engine.text import Text

_WORDS = """
matkhau matkhaumoi khongcho khongbiet anhyeuem emyeuanh yeuem yeuanh anhyeu emyeu iloveyou vietnam hanoi
saigon hochiminh tphcm danang haiphong hue cantho nghean vinh thanhhoa hatinh quangbinh quangtri nhatrang
dalat bachho quantri quantrivien admin administrator nguoidung taikhoan dangnhap truycap hethong maychu
maytinh phanmem congthongtin vanphong vanthu hanhchinh tochuc tonghop ketoan thuky lanhdao chuyenvien congchuc
vienchuc canbo nhanvien truongphong phophong giamdoc chutich bithu ubnd uyban uybannhandan hdnd hoidongnhandan
tinhuy huyenuy thanhuy danguy mattran doanthanhnien congdoan congan sonoivu soyte sotaichinh sotuphap
sogiaoduc soxaydung sokhoahoc sonongnghiep sokehoach sovanhoa sothongtin phong huyen tinh xa phuong thanhpho
thixa sobannganh coquan donvi vanban congvan kehoach baocao nhiemvu dondoc giadinh bome concai conyeu vochong
hanhphuc maiyeu mottraitim tinhyeu nguoiyeu bancu banbe thangloi thanhcong maiman nguyen tran hoang huynh phan
dang ngo duong nguyenvan nguyenthi tranvan tranthi levan lethi phamvan phamthi thang mot hai nam bon sau bay
tam chin muoi mothaibabon motkhongai
laodong thuongbinh xahoi yte congthuong giaothong nongnghiep moitruong taichinh dautu noivu tuphap vanhoa thethao
dulich khoahoc congnghe truyenthong xaydung ngoaivu dantoc thanhtra giaoduc daotao baohiem nganhang thue haiquan
angiang bacgiang backan baclieu bacninh bariavungtau bentre binhdinh binhduong binhphuoc binhthuan camau caobang
daklak daknong dienbien dongnai dongthap gialai hagiang hanam haiduong haugiang hoabinh hungyen khanhhoa kiengiang
kontum laichau lamdong langson laocai longan namdinh ninhbinh ninhthuan phutho phuyen quangnam quangngai quangninh
soctrang sonla tayninh thaibinh thainguyen thuathienhue tiengiang travinh tuyenquang vinhlong vinhphuc yenbai
"""
COMMON_WORDS = tuple(_WORDS.split())


MIN_CHARS, MAX_CHARS = 12, 256
MIN_GUESSES = 10**10
"""The estimator's highest class: safe even where the hashes were stolen (its score 4)."""
MIN_OWN_CHARS = 5
"""Of a password, that are no word of offices and places, no digit and no mark. The estimator does not know that such
words go together: it takes «soyte@nghean2026» for safe."""
_ESTIMATED_CHARS = 72
"""The estimator takes no more; a longer password is judged by its beginning."""
_hasher = PasswordHasher(time_cost=2, memory_cost=19_456, parallelism=1)
_hashing_slots = threading.BoundedSemaphore(4)
"""Hashes at the same time: each takes 19 MiB, and a thousand posted passwords must not take 19 GiB."""


_estimating = threading.Lock()
"""zxcvbn keeps the words of one call in a module variable."""


def require_strong_password(password: str, email: str, names: Iterable[str] = ()) -> None:
    """Check a new password; ``names`` are those of the account's office. Raises BadInput with everything that is wrong
    at once."""
    plain = fold(password).replace(" ", "")
    mailbox = fold(email.partition("@")[0])
    rules = (
        (len(password) >= MIN_CHARS, f"dài ít nhất {MIN_CHARS} ký tự", f"be at least {MIN_CHARS} characters long"),
        (len(password) <= MAX_CHARS, f"không quá {MAX_CHARS} ký tự", f"be at most {MAX_CHARS} characters long"),
        (len(set(plain)) >= 5, "có ít nhất năm ký tự khác nhau", "contain at least five different characters"),
        (len(mailbox) < 4 or mailbox not in plain, "không chứa tên hộp thư", "not contain the name of the mailbox"),
        (
            len(_left_over(plain, email, names)) >= MIN_OWN_CHARS,
            f"có ít nhất {MIN_OWN_CHARS} ký tự ngoài tên cơ quan, địa phương, năm và dấu",
            f"hold at least {MIN_OWN_CHARS} characters beside names of offices and places, years and marks",
        ),
        (
            len(password) > MAX_CHARS or _guesses(password, email, names) >= MIN_GUESSES,
            "khó đoán hơn: đừng ghép từ, tên cơ quan, dãy số hay năm mà ai cũng thử; vài từ không liên quan thì tốt",
            "be harder to guess: no common words, office names, runs of digits or years; a few unrelated words do",
        ),
    )
    wrong = [(vi, en) for holds, vi, en in rules if not holds]
    if wrong:
        vi, en = (", ".join(words) for words in zip(*wrong, strict=True))
        raise BadInput(Text(f"Mật khẩu phải {vi}.", f"The password must {en}."))


def _left_over(plain: str, email: str, names: Iterable[str]) -> str:
    """What is left of a password without the words that an attacker who knows the office tries first, digits and marks:
    of «soyte@nghean2026» nothing."""
    own = {word for text in (email, *names) for word in _words(text)}
    for word in sorted(own | set(COMMON_WORDS), key=len, reverse=True):
        if len(word) > 2:
            plain = plain.replace(word, " ")
    return re.sub(r"[^a-z]", "", plain)


def _guesses(password: str, email: str, names: Iterable[str]) -> int:
    """How many guesses an attacker needs who knows the office; tones and spaces do not count."""
    from zxcvbn import zxcvbn  # 30,000 words, read when first needed

    own = [word for text in (email, *names) for word in _words(text)]
    with _estimating:
        return min(
            int(zxcvbn(each[:_ESTIMATED_CHARS], user_inputs=[*own, *COMMON_WORDS])["guesses"]) if each else 0
            for each in (fold(password), fold(password).replace(" ", ""))
        )


def _words(text: str) -> Iterator[str]:
    """The words of a name, its initials, and all of it without spaces."""
    words = re.findall(r"[a-z0-9]+", fold(text))
    yield from ("".join(words), "".join(word[0] for word in words), *(word for word in words if len(word) > 2))


def hashed(password: str) -> str:
    with _hashing_slots:
        return _hasher.hash(password)


def matches(stored: str, password: str) -> bool:
    """True if the password matches the stored hash. Takes as long when there is no hash, so that the response time does
    not reveal whether an account exists."""
    try:
        with _hashing_slots:
            return _hasher.verify(stored or _dummy_hash(), password[:MAX_CHARS]) and bool(stored)
    except (VerificationError, InvalidHashError):
        return False


def is_dated(stored: str) -> bool:
    """True if the hash was made with weaker settings than today's, so that the password should be hashed again."""
    return _hasher.check_needs_rehash(stored)


@functools.cache
def _dummy_hash() -> str:
    return _hasher.hash(secrets.token_urlsafe(16))
