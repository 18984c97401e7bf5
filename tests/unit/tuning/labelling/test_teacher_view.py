"""Progress of a teacher."""

from __future__ import annotations

import pytest

from credit_signals.tuning.labelling import progress


def test_lines_tell_how_far_it_is_where_there_is_no_terminal(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """A log shows what is done and how long the rest will take, on standard error: standard output is for figures."""
    monkeypatch.setattr(progress, "LINE_SECONDS", 0.0)
    with progress.TeacherView("labelled", 2) as view:
        view.advance()
        view.advance()
    shown = capsys.readouterr()
    assert shown.out == ""
    assert shown.err.splitlines() == ["labelled: 1 of 2, 0 min left", "labelled: 2 of 2, 0 min left"]
