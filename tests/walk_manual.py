"""Types what a page of the manual says on a machine that may be spoilt, and writes what came of it into the table of
docs/operating/last-walked.md and its twin:

    PYTHONPATH=tests python -m walk_manual docs/operating/backup.md --by 'ssh root@machine' [--name /backup=/copies]

A block is typed as root or as dondoc, as the sentence above it says; lines of ``.env`` are put there. ``--by`` is what
a shell of root is begun with; without it nothing runs and the lines are printed.
"""

from __future__ import annotations

import argparse
import os
import re
import shlex
import subprocess
import sys
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import date
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]
TABLES = ("docs/operating/last-walked.md", "docs/vi/van-hanh/lan-thu-gan-nhat.md")
BLOCK = re.compile(r"^(?P<above>.*)\n\n(?P<lines>(?:    .*\n?)+)", re.MULTILINE)
TWIN = re.compile(r"\[(?:tiếng Việt|English)\]\(([^)]+)\)")
OURS = re.compile(r"as (?:the user )?dondoc|người dùng\s+dondoc")
HERE = "cd /srv/dondoc && . .venv/bin/activate"


@dataclass(frozen=True)
class Block:
    lines: tuple[str, ...]
    ours: bool
    """Typed as the user dondoc."""

    @property
    def script(self) -> str:
        words = "\n".join(self.lines)
        if all(re.match(r"DONDOC_\w+=", line) for line in self.lines):
            words = f"cat >> /srv/dondoc/.env <<'LINES'\n{words}\nLINES"
        if not self.ours:
            return f"set -e\ncd /srv/dondoc 2>/dev/null || true\n{words}\n"
        return f"runuser -u dondoc -- bash -e <<'TYPED'\n{HERE}\n{words}\nTYPED\n"


def blocks(text: str) -> Iterator[Block]:
    """What is typed, in order. The two lines that begin a shell of dondoc's are how its blocks are typed, and none."""
    for found in BLOCK.finditer(text):
        lines = tuple(line[4:] for line in found["lines"].rstrip("\n").split("\n"))
        kept = tuple(line for line in lines if not line.startswith("su -s ") and line != HERE)
        paragraph = text[: found.end("above")].rpartition("\n\n")[2]
        if kept:
            named = any(line.startswith("dondoc ") for line in kept)
            yield Block(kept, named or len(kept) < len(lines) or bool(OURS.search(paragraph)))


def row_with(table: str, target: str, day: str, system: str, typed: str) -> str:
    """The table with another row for a page; its last cell stays."""
    pattern = re.compile(rf"^(\| \[[^]]+\]\({re.escape(target)}\) \|)(?:[^|]*\|){{3}}", re.MULTILINE)
    written, count = pattern.subn(rf"\g<1> {day} | {system} | {typed} |", table)
    if count != 1:
        raise SystemExit(f"no row for {target}")
    return written


def write(root: Path, page: Path, day: str, system: str, typed: str) -> None:
    pages = {page, page.parent.joinpath(TWIN.findall(page.read_text())[0]).resolve()}
    for name in TABLES:
        table = root / name
        (own,) = (each for each in pages if ("vi" in each.parts) is ("vi" in table.parts))
        table.write_text(row_with(table.read_text(), os.path.relpath(own, table.parent), day, system, typed))


def main(arguments: Sequence[str] | None = None) -> int:
    parser = argparse.ArgumentParser()
    parser.add_argument("page", type=Path)
    parser.add_argument("--by", default="")
    parser.add_argument("--name", action="append", default=[])
    asked = parser.parse_args(arguments)
    text = asked.page.read_text()
    for told in asked.name:
        text = text.replace(*told.split("=", 1))
    found, done = list(blocks(text)), 0
    if not asked.by:
        print("\n".join(f"{'dondoc' if each.ours else 'root'}: {line}" for each in found for line in each.lines))
        return 0
    shell = [*shlex.split(asked.by), "bash", "-s"]
    for each in found:
        if subprocess.run(shell, input=each.script, text=True).returncode:
            print(f"stopped in: {each.lines}", file=sys.stderr)
            break
        done += len(each.lines)
    asking = subprocess.run(shell, input='. /etc/os-release; echo "$PRETTY_NAME"', text=True, capture_output=True)
    total = sum(len(each.lines) for each in found)
    write(ROOT, asked.page.resolve(), f"{date.today():%d/%m/%Y}", asking.stdout.strip(), f"{done}/{total}")
    return int(done < total)


if __name__ == "__main__":
    sys.exit(main())
