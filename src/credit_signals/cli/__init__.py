"""The command line: `credit-signals --help` teaches."""

from credit_signals.cli.commands import app, main

__all__ = ["app", "main"]
