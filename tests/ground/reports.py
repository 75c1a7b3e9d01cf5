"""What an xdist worker tells the main process of each test: how it went, and that it is over.

xdist sends six messages a test, of which three say that it begins, that its fixtures were made and that they were
ended. They are sent if something is wrong with them; else they cost both processes 0.4 ms a test and change no line of
what is printed.
"""

from __future__ import annotations

from collections.abc import Callable

import pytest


def spare_reports(config: pytest.Config) -> None:
    hooks = config.hook
    for each in hooks.pytest_runtest_logstart.get_hookimpls():
        if hasattr(each.plugin, "sendevent"):
            setattr(each, "function", lambda nodeid, location: None)  # noqa: B010
    for each in hooks.pytest_runtest_logreport.get_hookimpls():
        if hasattr(each.plugin, "sendevent"):
            setattr(each, "function", _of_calls(each.function))  # noqa: B010


def _of_calls(send: Callable[[pytest.TestReport], None]) -> Callable[[pytest.TestReport], None]:
    def sending(report: pytest.TestReport) -> None:
        if report.when == "call" or not report.passed:
            send(report)

    return sending
