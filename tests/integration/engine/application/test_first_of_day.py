"""Nobody waits for a whole read: it is made when the pages start and when a day begins."""

from __future__ import annotations

from pathlib import Path

import pytest
from ground.factory import Laid
from ground.office import NOW, as_role

from engine.application.first_of_day import read_first
from engine.store.data_versions import BY_AGENCY


@pytest.mark.parametrize("page", ["/", "/overdue", "/leadership", "/year", "/assignments", "/queue"])
def test_after_it_no_answer_by_agency_is_read_for_the_first_reader(fresh: Laid, tmp_path: Path, page: str) -> None:
    office = as_role(fresh.database, tmp_path, "administrator", "so-chinh")
    tools = office.client._transport._tools  # type: ignore[attr-defined]
    read_first(fresh.database, tools.kept, lambda: NOW)
    known = {key for key in tools.kept._kept if key[0] in BY_AGENCY}
    assert len(known) > 10
    assert office.get(page).status_code == 200
    assert {key[0] for key in tools.kept._kept if key[0] in BY_AGENCY and key not in known} == set()
