"""Passwords: what makes one good enough, in words, and how one is kept (argon2id, OWASP's 19 MiB and two passes).

No rule about capitals and signs: they make people write passwords down. Length, and not what everybody tries first.
"""

from __future__ import annotations

import functools
import secrets
import threading

from argon2 import PasswordHasher
from argon2.exceptions import InvalidHashError, VerificationError

from engine.errors import BadInput
from engine.files.directory import fold
from engine.text import Text

SHORTEST, LONGEST = 12, 256
TRIED_FIRST = ("matkhau", "password", "123456", "qwerty", "admin", "dondoc", "iloveyou", "anhyeuem", "abc123")
_hasher = PasswordHasher(time_cost=2, memory_cost=19_456, parallelism=1)
_turn = threading.BoundedSemaphore(4)
"""Four at a time: each takes 19 MiB, and whoever posts a thousand passwords at once must not take 19 GiB."""


def must_be_good(password: str, email: str) -> None:
    """Raises BadInput with everything that is wrong with a new password at once."""
    plain = fold(password).replace(" ", "")
    mailbox = fold(email.partition("@")[0])
    rules = (
        (len(password) >= SHORTEST, f"dài ít nhất {SHORTEST} ký tự", f"be at least {SHORTEST} characters long"),
        (len(password) <= LONGEST, f"không quá {LONGEST} ký tự", f"be at most {LONGEST} characters long"),
        (len(set(plain)) >= 5, "có ít nhất năm ký tự khác nhau", "hold at least five different characters"),
        (len(mailbox) < 4 or mailbox not in plain, "không chứa tên hộp thư", "not hold the name of the mailbox"),
        (
            not any(plain.startswith(word) and len(plain) < len(word) + 6 for word in TRIED_FIRST),
            "không bắt đầu bằng từ ai cũng thử",
            "not begin with a word that everybody tries",
        ),
    )
    wrong = [(vi, en) for holds, vi, en in rules if not holds]
    if wrong:
        vi, en = (", ".join(words) for words in zip(*wrong, strict=True))
        raise BadInput(Text(f"Mật khẩu phải {vi}.", f"The password must {en}."))


def hashed(password: str) -> str:
    with _turn:
        return _hasher.hash(password)


def matches(kept: str, password: str) -> bool:
    """Whether a password is the one kept. Takes as long when nothing is kept, so that the time tells nobody whether an
    address is known."""
    try:
        with _turn:
            return _hasher.verify(kept or _nobodys(), password[:LONGEST]) and bool(kept)
    except (VerificationError, InvalidHashError):
        return False


def is_dated(kept: str) -> bool:
    """Whether a kept password was made with weaker settings than today's and should be hashed anew."""
    return _hasher.check_needs_rehash(kept)


@functools.cache
def _nobodys() -> str:
    return _hasher.hash(secrets.token_urlsafe(16))
