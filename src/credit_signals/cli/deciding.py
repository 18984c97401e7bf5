"""Who decides, for the record."""

from __future__ import annotations

import getpass
import os


def current_user() -> str:
    """The name of the user of this process."""
    try:
        return getpass.getuser()
    except (KeyError, OSError):  # a user without a name, as in a container
        return f"uid {os.getuid()}"
