"""`python -m credit_signals.tuning signals|activities|evaluate`."""

from credit_signals.tuning.commands import tune_app

tune_app()
