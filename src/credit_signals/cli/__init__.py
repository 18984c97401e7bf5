"""The command line: `credit-signals --help` teaches."""


def main() -> None:
    """Its door; what a person types and reads is loaded here, and not for a worker."""
    from credit_signals.cli.commands import main as door  # noqa: PLC0415

    door()
