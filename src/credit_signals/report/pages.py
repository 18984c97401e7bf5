"""The templates' environment: everything is escaped, nothing may be undefined, nothing is loaded from elsewhere."""

from __future__ import annotations

import re
from datetime import datetime
from functools import cache
from typing import Any

from jinja2 import Environment, PackageLoader, StrictUndefined
from markupsafe import Markup

from credit_signals.report.links import safe_href

_UNPRINTABLE = re.compile("[\x00-\x08\x0b\x0c\x0e-\x1f\x7f-\x9f\ufffe\uffff\ud800-\udfff]")


def render(template: str, **values: Any) -> str:
    """Fill a template of this package."""
    return _environment().get_template(template).render(**values)


@cache
def _environment() -> Environment:
    environment = Environment(
        loader=PackageLoader("credit_signals.report"),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
        finalize=_displayable,
    )
    environment.filters |= {"day": _day, "moment": _moment, "words": _words, "points": _points, "href": safe_href}
    return environment


def _displayable(value: Any) -> Any:
    """Text without what HTML and UTF-8 cannot hold."""
    return _UNPRINTABLE.sub("\ufffd", value) if isinstance(value, str) and not isinstance(value, Markup) else value


def _day(moment: datetime) -> str:
    return f"{moment:%Y-%m-%d}"


def _moment(moment: datetime) -> str:
    return f"{moment:%Y-%m-%d %H:%M} UTC"


def _words(identifier: str) -> str:
    return identifier.replace("_", " ")


def _points(points: float) -> str:
    # a true minus sign, as wide as the plus
    return f"{points:+.1f}".replace("-", "\N{MINUS SIGN}")
