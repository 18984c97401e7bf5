"""The average of weights over the steps of training."""

import pytest

torch = pytest.importorskip("torch", reason="training needs the extra `tune`")

from credit_signals.tuning.averaging import Averages  # noqa: E402


def test_an_average_stands_in_for_a_while_and_then_for_good() -> None:
    """Inside, parameters hold the mean of what they were; behind, their own values; in the end, the mean."""
    weight = torch.nn.Parameter(torch.zeros(3))
    averages = Averages([weight], steps=20)
    for step in range(400):
        weight.data.fill_(float(step % 2))
        averages.update()
    with averages.in_place():
        assert torch.allclose(weight, torch.full((3,), 0.5), atol=0.03)
    assert torch.equal(weight, torch.ones(3))
    averages.keep()
    assert torch.allclose(weight, torch.full((3,), 0.5), atol=0.03)


def test_what_came_first_is_soon_forgotten() -> None:
    """A run of a few steps is not held back by the weights that it began with."""
    weight = torch.nn.Parameter(torch.full((1,), 1000.0))
    averages = Averages([weight], steps=500)
    weight.data.zero_()
    for _ in range(20):
        averages.update()
    assert weight.item() == 0
    averages.keep()
    assert weight.item() < 1
