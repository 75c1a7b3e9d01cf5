"""One account's hostile letterheads cost the others nothing: pages are answered while they are worked on."""

from __future__ import annotations

import io
import time
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import docx
import httpx
import pytest
from ground.office import as_role, serving

from engine.store.database import Database

PAGE = "/papers/settings/so-chinh"
UPLOADS = 60
ANSWER_SECONDS = 5.0
"""A client's patience; no answer came for a quarter of an hour."""


def endless() -> bytes:
    form = docx.Document()
    form.add_paragraph("{% for a in range(99999) %}{% for b in range(99999) %}{% endfor %}{% endfor %}")
    file = io.BytesIO()
    form.save(file)
    return file.getvalue()


@pytest.mark.deep  # its parts: test_settings.py here, tests/unit/engine/test_limited_process.py
def test_while_sixty_come_at_once_everybody_else_signs_in(lived: Database, tmp_path: Path) -> None:
    office, body, waited = as_role(lived, tmp_path, "monitor", "so-chinh"), endless(), []
    data = {"token": office.token(PAGE), "name": "Sở Nội vụ"}
    with serving(office) as (_, port), ThreadPoolExecutor(UPLOADS) as threads:
        here = f"http://127.0.0.1:{port}"

        def upload(_: int) -> int:
            sent = {"letterhead": ("mau.docx", body)}
            answer = httpx.post(f"{here}{PAGE}", data=data, files=sent, headers={"cookie": office.cookies}, timeout=120)
            return answer.status_code

        sent = [threads.submit(upload, number) for number in range(UPLOADS)]
        with httpx.Client(base_url=here, timeout=ANSWER_SECONDS) as reader:
            while not all(each.done() for each in sent):
                began = time.monotonic()
                assert reader.get("/sign-in").status_code == 200
                assert reader.get("/readyz").status_code == 200
                waited.append(time.monotonic() - began)
                time.sleep(0.05)
    statuses = sorted(each.result() for each in sent)
    print(f"{len(waited)} pairs, p99 {sorted(waited)[int(len(waited) * 0.99)]:.3f} s, at most {max(waited):.3f} s")
    assert set(statuses) <= {422, 503}
    assert statuses.count(422) <= 2
