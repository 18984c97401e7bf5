"""Fixtures of the chart tests: each case is rendered once for each helm."""

from __future__ import annotations

from collections.abc import Callable
from functools import cache

import pytest
from helm_binaries import NoHelm, helm
from helm_chart import VERSIONS, Rendered, render, values_of


@pytest.fixture(scope="session", autouse=True)
def helm_is_there() -> None:
    """Skip where neither network nor PATH has helm."""
    try:
        for version in VERSIONS:
            helm(version)
    except NoHelm as missing:
        pytest.skip(str(missing))


@pytest.fixture(scope="session")
def case() -> Callable[..., Rendered]:
    """The objects of a case of ci/, rendered once."""

    @cache
    def rendered(name: str, version: str = "4.1") -> Rendered:
        return render(values_of(name), version)

    return rendered
