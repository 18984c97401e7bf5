"""The tune commands without their heavy libraries."""

import subprocess
import sys

from click import Context
from typer.main import get_command
from typer.testing import CliRunner

from credit_signals.cli.tune_commands import tune_app
from credit_signals.tuning.output import Panel

GROUP = get_command(tune_app)


def test_help_teaches_without_heavy_imports() -> None:
    """Help of every command works where torch is not installed."""
    names = GROUP.list_commands(Context(GROUP))
    assert {"sample", "label", "signals", "convert", "examine", "life"} <= set(names)
    for command in names:
        result = CliRunner().invoke(tune_app, [command, "--help"])
        assert result.exit_code == 0, result.output


def test_every_option_says_what_it_means() -> None:
    """Nobody has to read the code for what a value does."""
    silent = [
        (name, option.name)
        for name, command in GROUP.commands.items()
        for option in command.params
        if option.name != "help" and not option.help
    ]
    assert silent == []


def test_commands_stand_under_heads_in_the_order_of_a_readers_life() -> None:
    """Whoever looks for a step finds it where it comes in a reader's life; no command is without a head."""
    shown = CliRunner().invoke(tune_app, ["--help"], env={"COLUMNS": "120"}).output
    places = [shown.index(f"─ {head.value} ─") for head in Panel]
    assert places == sorted(places)
    assert "─ Commands ─" not in shown


def test_commands_import_no_heavy_library() -> None:
    """Registering the commands does not load torch, scikit-learn or llama.cpp."""
    code = (
        "import sys, credit_signals.cli.tune_commands;"
        "print(sorted({'torch', 'sklearn', 'llama_cpp', 'transformers', 'trl', 'datasets'} & set(sys.modules)))"
    )
    output = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True).stdout
    assert output.strip() == "[]"
