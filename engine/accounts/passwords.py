"""Passwords: strength rules, and hashing with argon2id (OWASP's 19 MiB and two passes).

No rules about capitals and symbols: they make people write passwords down. Length counts, and common passwords are
refused.
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

MIN_CHARS, MAX_CHARS = 12, 256
COMMON_WORDS = ("matkhau", "password", "123456", "qwerty", "admin", "dondoc", "iloveyou", "anhyeuem", "abc123")
_hasher = PasswordHasher(time_cost=2, memory_cost=19_456, parallelism=1)
_hashing_slots = threading.BoundedSemaphore(4)
"""Hashes at the same time: each takes 19 MiB, and a thousand posted passwords must not take 19 GiB."""


def require_strong_password(password: str, email: str) -> None:
    """Check a new password. Raises BadInput with everything that is wrong at once."""
    plain = fold(password).replace(" ", "")
    mailbox = fold(email.partition("@")[0])
    rules = (
        (len(password) >= MIN_CHARS, f"dài ít nhất {MIN_CHARS} ký tự", f"be at least {MIN_CHARS} characters long"),
        (len(password) <= MAX_CHARS, f"không quá {MAX_CHARS} ký tự", f"be at most {MAX_CHARS} characters long"),
        (len(set(plain)) >= 5, "có ít nhất năm ký tự khác nhau", "contain at least five different characters"),
        (len(mailbox) < 4 or mailbox not in plain, "không chứa tên hộp thư", "not contain the name of the mailbox"),
        (
            not any(plain.startswith(word) and len(plain) < len(word) + 6 for word in COMMON_WORDS),
            "không bắt đầu bằng từ ai cũng thử",
            "not begin with a common word",
        ),
    )
    wrong = [(vi, en) for holds, vi, en in rules if not holds]
    if wrong:
        vi, en = (", ".join(words) for words in zip(*wrong, strict=True))
        raise BadInput(Text(f"Mật khẩu phải {vi}.", f"The password must {en}."))


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
