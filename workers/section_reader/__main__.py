"""The door of a section reader's pod: `python -m workers.section_reader`."""

from __future__ import annotations

import logging
import os
import signal
import sys
from pathlib import Path


def main() -> int:
    """Read sections until SIGTERM; 2 after a deliberate error, which is one line of the log."""
    # The first process of a pod ignores the signals that it does not handle, and the imports take a while.
    signal.signal(signal.SIGTERM, lambda _number, _frame: os._exit(0))
    from credit_signals import settings  # noqa: PLC0415
    from credit_signals.cli.working import run_worker  # noqa: PLC0415
    from credit_signals.errors import CreditSignalsError  # noqa: PLC0415

    os.environ.setdefault("CREDIT_SIGNALS_READER", str(Path(__file__).with_name("encoder.toml")))
    try:
        run_worker(settings.load(), burst=False)
    except CreditSignalsError as error:
        logging.getLogger("section_reader").critical("%s: %s", type(error).__name__, error)
        return 2
    return 0


if __name__ == "__main__":
    sys.exit(main())
