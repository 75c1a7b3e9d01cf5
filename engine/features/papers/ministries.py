"""The ministries that a plan has its reports sent to, found in the words of its duties. Pure.

Names as they are and as plans of the last ten years have them; a plan may name one that has ended since.
"""

from __future__ import annotations

import re
from collections.abc import Iterable

NAMES = (
    "Quốc phòng",
    "Công an",
    "Ngoại giao",
    "Nội vụ",
    "Tư pháp",
    "Kế hoạch và Đầu tư",
    "Tài chính",
    "Công Thương",
    "Nông nghiệp và Phát triển nông thôn",
    "Nông nghiệp và Môi trường",
    "Giao thông vận tải",
    "Xây dựng",
    "Tài nguyên và Môi trường",
    "Thông tin và Truyền thông",
    "Lao động - Thương binh và Xã hội",
    "Văn hóa, Thể thao và Du lịch",
    "Khoa học và Công nghệ",
    "Giáo dục và Đào tạo",
    "Y tế",
    "Dân tộc và Tôn giáo",
)
NAMED = re.compile("Bộ (" + "|".join(sorted(map(re.escape, NAMES), key=len, reverse=True)) + r")\b")
REPORTED = re.compile(r"\bbáo cáo\b[^.;]*", re.IGNORECASE)
"""The clause that says to whom is reported."""
NOT_TO = re.compile(r"\b(?:của|theo|do)\s+$")
"""Before a name that is no recipient: «theo hướng dẫn của Bộ …»."""


def ministries(texts: Iterable[str]) -> tuple[str, ...]:
    """«Bộ Lao động - Thương binh và Xã hội» where a duty says that reports go to it too, each once."""
    found: dict[str, None] = {}
    for text in texts:
        for clause in REPORTED.findall(" ".join(text.split())):
            for name in NAMED.finditer(clause):
                if not NOT_TO.search(clause[: name.start()]):
                    found[name.group()] = None
    return tuple(found)
