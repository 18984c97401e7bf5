"""`python -m credit_signals.cli`."""

from credit_signals.cli import main

main()
