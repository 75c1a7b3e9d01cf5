"""The walk of the manual: who types what, and the row that it writes."""

from __future__ import annotations

import os
from pathlib import Path

import pytest
import walk_manual
from ground.paths import ROOT

PAGE = """# A page

[Contents](../operating.md) · [tiếng Việt](../vi/van-hanh/trang.md)

As root:

    touch made
    mkdir -p etc

Then as dondoc, in a shell that
ends with `exit`:

    su -s /bin/bash dondoc
    cd /srv/dondoc && . .venv/bin/activate
    dondoc init

Lines:

    DONDOC_PORT=8188
"""


def test_who_types_a_block_is_said_by_the_sentence_above_it() -> None:
    found = list(walk_manual.blocks(PAGE))
    assert [(each.lines, each.ours) for each in found] == [
        (("touch made", "mkdir -p etc"), False),
        (("dondoc init",), True),
        (("DONDOC_PORT=8188",), False),
    ]
    assert "cat >> /srv/dondoc/.env" in found[2].script


def test_every_page_of_the_manual_has_its_row_in_both_tables() -> None:
    for name in walk_manual.TABLES:
        table = ROOT / name
        pages = [*table.parent.glob("*.md"), table.parent.with_suffix(".md")]
        for target in (os.path.relpath(each, table.parent) for each in pages if each != table):
            assert walk_manual.row_with(table.read_text(), target, "a", "b", "c").count("| a | b | c |") == 1


def test_a_walk_writes_how_far_it_came(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(walk_manual, "ROOT", tmp_path)
    monkeypatch.chdir(tmp_path)
    page, twin = tmp_path / "docs/operating/page.md", tmp_path / "docs/vi/van-hanh/trang.md"
    for path, other, said in (
        (page, "../vi/van-hanh/trang.md", "tiếng Việt"),
        (twin, "../../operating/page.md", "English"),
    ):
        path.parent.mkdir(parents=True)
        path.write_text(f"[{said}]({other})\n\nAs root:\n\n    true\n\nAnd as root:\n\n    false\n    true\n")
        table = next(tmp_path / name for name in walk_manual.TABLES if (tmp_path / name).parent == path.parent)
        table.write_text(f"| [a]({path.name}) | never | nowhere | 0/3 | a modem |\n")
    assert walk_manual.main([str(page), "--by", "env"]) == 1
    for name in walk_manual.TABLES:
        assert (tmp_path / name).read_text().endswith(" | 1/3 | a modem |\n")
    assert "stopped in" in capfd.readouterr().err
