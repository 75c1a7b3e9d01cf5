from collections.abc import Iterator
from pathlib import Path

import pytest
from ground.sms_services import RunningKannel, RunningSmsd, kannel_with, smsd_in


@pytest.fixture(scope="module")
def kannel(tmp_path_factory: pytest.TempPathFactory) -> Iterator[RunningKannel]:
    """A running bearerbox, smsbox and fakesmsc, and what they fetched from the web server beside them. One for all
    tests of a module, since its network takes a second to begin: each test looks for its own letters."""
    with kannel_with(tmp_path_factory.mktemp("kannel")) as started:
        yield started


@pytest.fixture
def smsd(tmp_path: Path) -> Iterator[RunningSmsd]:
    """A running gammu-smsd with ``model = dummy``, and its folders."""
    with smsd_in(tmp_path) as started:
        yield started
