"""The tune commands without their heavy libraries."""

import subprocess
import sys

from typer.testing import CliRunner

from credit_signals.tuning.commands import tune_app


def test_help_teaches_without_heavy_imports() -> None:
    """Help of every command works where torch is not installed."""
    for command in (
        "signals",
        "activities",
        "words",
        "rows",
        "pretrain",
        "causal",
        "examine",
        "sample",
        "label",
        "convert",
        "quantize",
        "parity",
        "questions",
    ):
        result = CliRunner().invoke(tune_app, [command, "--help"])
        assert result.exit_code == 0, result.output


def test_commands_import_no_heavy_library() -> None:
    """Registering the commands does not load torch, scikit-learn or llama.cpp."""
    code = (
        "import sys, credit_signals.tuning.commands;"
        "print(sorted({'torch', 'sklearn', 'llama_cpp', 'transformers', 'trl', 'datasets'} & set(sys.modules)))"
    )
    output = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True).stdout
    assert output.strip() == "[]"
