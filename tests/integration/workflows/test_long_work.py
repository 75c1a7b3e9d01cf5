"""Long work as Prefect's deployments call it: by parameters that a person types, or by what a page hands over."""

from __future__ import annotations

import os
import time
from datetime import date
from pathlib import Path
from zipfile import ZipFile

import pytest
from ground.factory import Laid, lay, rows
from ground.serving import install

from config.settings import Settings
from engine.errors import BadInput, NotFound
from engine.files.plan import PlanFile
from engine.queries.stored_plans import plan_of
from engine.rules.calendar import local_date
from engine.store.clock import system_clock
from engine.store.database import Database
from engine.store.records import Event, Letter, PlanDraft, PublishedFigures
from engine.terms import EventKind, PassName, Scenario
from workflows.longwork import works
from workflows.longwork.handover import KEPT_SECONDS, Handover
from workflows.run import passes
from workflows.run.system import System, compose
from workflows.simulation.simulation import cached_simulation


@pytest.fixture
def laid(sqlite_database: Database) -> Laid:
    return lay(sqlite_database, now=system_clock())


@pytest.fixture
def system(laid: Laid, tmp_path: Path) -> System:
    url = str(laid.database.url)
    told = install(url, tmp_path)
    given = {"data_dir": tmp_path, "database_url": url, "secret": told["DONDOC_SECRET"]}
    return compose(Settings(_env_file=None, **given))  # type: ignore[arg-type]


def plan(laid: Laid) -> PlanFile:
    with laid.database.read() as session:
        return PlanFile.model_validate(plan_of(session, laid.plan_id).file)


TEXT = """ỦY BAN NHÂN DÂN TỈNH MẪU
Số: 12/KH-UBND
KẾ HOẠCH
Thực hiện công tác năm 2021
IV. TỔ CHỨC THỰC HIỆN
1. Sở Tài chính
- Bố trí kinh phí thực hiện kế hoạch; báo cáo trước ngày 20/6/2021.
"""


def test_a_document_that_a_page_handed_over_becomes_a_draft_in_its_maker_s_name(system: System) -> None:
    handover = Handover(system.settings.handover)
    word = handover.give(TEXT.encode())
    said = works.import_document(system, name="ke-hoach.txt", actor="account:7", handed=word)
    (draft,) = rows(system.database, PlanDraft)
    assert int(handover.answered(word)) == draft.id
    assert said.endswith(f"/plans/drafts/{draft.id}")
    assert (draft.name, draft.made_by) == ("ke-hoach.txt", "account:7")
    handover.take_back(word)
    assert list(system.settings.handover.iterdir()) == []  # the document itself is not kept


def test_a_document_on_the_worker_s_machine_is_read_by_its_path(system: System, tmp_path: Path) -> None:
    path = tmp_path / "ke-hoach.txt"
    path.write_text(TEXT)
    works.import_document(system, document=str(path))
    (draft,) = rows(system.database, PlanDraft)
    assert (draft.name, draft.made_by) == ("ke-hoach.txt", "prefect")


def test_a_year_that_a_worker_simulates_is_the_year_that_the_page_would_have_simulated(
    system: System, laid: Laid
) -> None:
    handover, mine = Handover(system.settings.handover), plan(laid)
    word = handover.give(mine.model_dump_json(by_alias=True).encode())
    first, last = mine.issued_on, date(mine.year, 12, 31)
    works.simulate(system, first=first.isoformat(), until=last.isoformat(), handed=word)
    here = cached_simulation(system.database)(mine, first, last, Scenario.SILENT, lambda share: None)
    assert here.messages
    assert works.YEARS.validate_json(handover.answered(word)) == here
    assert handover.share(word) == pytest.approx(1, abs=0.05)
    assert rows(system.database, Letter) == []


def test_a_year_done_elsewhere_is_not_computed_here_and_kept_for_the_next_look(laid: Laid) -> None:
    asked: list[PlanFile] = []
    here = cached_simulation(laid.database)
    mine = plan(laid)
    year = here(mine, mine.issued_on, mine.issued_on, Scenario.SILENT, lambda share: None)

    def elsewhere(plan: PlanFile, *_: object) -> object:
        asked.append(plan)
        return year

    there = cached_simulation(laid.database, elsewhere)  # type: ignore[arg-type]
    for _ in range(2):
        found = there(mine, mine.issued_on, date(mine.year, 12, 31), Scenario.SILENT, lambda share: None)
        assert found is year
    assert asked == [mine]


def test_figures_are_published_for_today_unless_a_day_is_given(system: System, laid: Laid) -> None:
    said = works.publish(system, laid.plan_id)
    (figures,) = rows(system.database, PublishedFigures)
    assert figures.cut_off == local_date(system_clock())
    assert said.endswith(f"/leadership/frozen/{figures.id}")
    with pytest.raises(NotFound):
        works.publish(system, 99)


def test_a_backup_is_proved_unless_told_otherwise(system: System, tmp_path: Path) -> None:
    Handover(system.settings.handover).give(b"a page waits for this")
    said = works.backup(system, to=str(tmp_path / "copies"))
    assert "comes back whole" in said
    made = Path(said.partition(":")[0])
    assert (made / "manifest.json").is_file()
    assert not (made / "files" / "handover").exists()


def test_a_report_is_a_document_to_be_signed(system: System, laid: Laid) -> None:
    path = Path(works.report(system, laid.plan_id, "2021-H1"))
    assert path.parent == system.settings.data_dir / "reports"
    assert "word/document.xml" in ZipFile(path).namelist()
    assert path.stat().st_mode & 0o077 == 0


def test_an_audit_that_finds_something_is_no_success(system: System, laid: Laid) -> None:
    assert works.audit(system).startswith("audit: ")
    passes.record_failure(laid.database, PassName.DIGEST, RuntimeError("no"), system_clock())
    with pytest.raises(works.FindingsLeft, match="failed"):
        works.audit(system)
    assert rows(system.database, Event, kind=EventKind.AUDIT_FAILED)


def test_a_digest_that_is_not_owed_is_not_made(system: System) -> None:
    first, again = works.digest(system), works.digest(system)
    assert again.startswith("digest: nothing to do")
    assert first


def test_what_was_handed_over_is_this_installation_s_alone_and_goes_after_a_day(tmp_path: Path) -> None:
    handover = Handover(tmp_path)
    word = handover.give(b"text")
    (kept,) = tmp_path.iterdir()
    assert kept.stat().st_mode & 0o077 == 0
    for other in ("../../secret", "0" * 32):
        with pytest.raises(BadInput):
            handover.given(other)
    long_ago = time.time() - KEPT_SECONDS - 1
    os.utime(kept, (long_ago, long_ago))
    handover.give(b"another")
    with pytest.raises(BadInput):
        handover.given(word)


def test_a_refusal_is_said_in_both_languages(tmp_path: Path) -> None:
    handover = Handover(tmp_path)
    word = handover.give(b"text")
    assert handover.refused(word) is None
    handover.refuse(word, NotFound())
    said = handover.refused(word)
    assert said is not None
    assert [said.said(each) for each in ("vi", "en")] == [NotFound().said(each) for each in ("vi", "en")]
