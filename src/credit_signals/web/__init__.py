"""The results page."""

from credit_signals.web.app import create_app

__all__ = ["create_app"]
