"""Chat rows in JSON Lines."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from credit_signals.errors import ConfigurationError
from credit_signals.tuning.chat import ChatRow, Message, read_rows, write_rows


def make_row(number: int = 1, group: str = "g", split: str = "train", text: str = "Is it?") -> ChatRow:
    """A row of one question."""
    messages = (Message(role="user", content=text), Message(role="assistant", content=" yes"))
    return ChatRow.model_validate(
        {"id": str(number), "group": group, "split": split, "messages": messages, "pieces": ((text, True),)}
    )


@given(text=st.text(st.characters(codec="utf-8"), max_size=40))
def test_rows_survive_the_file(text: str, tmp_path_factory: pytest.TempPathFactory) -> None:
    """What is written is read again, whatever the text, line separators of Unicode included."""
    path = tmp_path_factory.mktemp("rows") / "rows.jsonl"
    rows = [make_row(1, text=text), make_row(2, text=text + "\u2028\u0085 second")]
    assert write_rows(path, rows) == len(rows)
    assert read_rows(path) == rows


def test_plain_rows_hold_only_what_services_take(tmp_path: Path) -> None:
    """Services that refuse unknown keys get none of ours but id, group and split."""
    path = tmp_path / "rows.jsonl"
    write_rows(path, [make_row()], pieces=False)
    assert set(json.loads(path.read_text())) == {"id", "group", "split", "messages"}


@pytest.mark.parametrize(
    ("change", "told"),
    [
        ({"messages": []}, "messages"),
        ({"messages": [{"role": "assistant", "content": "yes"}]}, "in turn"),
        ({"messages": [{"role": "user", "content": "a"}, {"role": "assistant", "content": ""}]}, "empty"),
        ({"pieces": [["another text", True]]}, "pieces"),
        ({"split": "dev"}, "split"),
    ],
)
def test_a_wrong_row_is_named(tmp_path: Path, change: dict[str, object], told: str) -> None:
    """The error names file, line and field, so that a long file can be mended."""
    path = tmp_path / "rows.jsonl"
    record = make_row().model_dump() | change
    path.write_text("\n" + json.dumps(record), encoding="utf-8")
    with pytest.raises(ConfigurationError, match=rf"line 2: not a chat: .*{told}"):
        read_rows(path)


@pytest.mark.parametrize(
    ("second", "told"),
    [(make_row(2, split="test"), "group g of row 2 is in two splits"), (make_row(1), "row 1 is there twice")],
)
def test_leaks_are_refused(tmp_path: Path, second: ChatRow, told: str) -> None:
    """A document in two splits or a row twice would flatter every figure."""
    path = tmp_path / "rows.jsonl"
    write_rows(path, [make_row(1), second])
    with pytest.raises(ConfigurationError, match=told):
        read_rows(path)


def test_a_missing_file_is_named(tmp_path: Path) -> None:
    """A missing file is told by its name."""
    with pytest.raises(ConfigurationError, match=r"none\.jsonl"):
        read_rows(tmp_path / "none.jsonl")
