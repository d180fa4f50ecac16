"""The pair losses by hand, and that the module learns which rows will be wrong."""

import numpy as np
import pytest
import torch

from worker.learning import loss_prediction
from worker.learning.loss_prediction import logistic_ranking, margin_ranking, predicted_losses

# three pairs: in order by 2, out of order by 0.5, of equal loss
PREDICTED = torch.tensor([[3.0, 1.0], [1.0, 0.5], [5.0, 0.0]], dtype=torch.float64)
TRUE = torch.tensor([[9.0, 2.0], [0.0, 1.0], [4.0, 4.0]], dtype=torch.float64)


def test_margin_ranking_as_the_paper_writes_it() -> None:
    assert float(margin_ranking(PREDICTED, TRUE)) == pytest.approx((0 + 1.5 + 0) / 3)


def test_logistic_ranking_is_the_cross_entropy_of_the_order() -> None:
    by_hand = np.log1p(np.exp(-2.0)) + np.log1p(np.exp(0.5))
    assert float(logistic_ranking(PREDICTED, TRUE)) == pytest.approx(by_hand / 3)


def test_their_slopes_are_those_of_the_formula() -> None:
    predicted = PREDICTED.clone().requires_grad_()
    assert torch.autograd.gradcheck(lambda x: margin_ranking(x, TRUE), (predicted,))
    assert torch.autograd.gradcheck(lambda x: logistic_ranking(x, TRUE), (predicted,))


@pytest.mark.parametrize("pair_loss", [margin_ranking, logistic_ranking])
def test_new_rows_are_put_in_the_order_of_their_true_losses(pair_loss) -> None:  # type: ignore[no-untyped-def]
    rng = np.random.default_rng(0)
    hidden = rng.random((300, 5), dtype=np.float32)
    losses = hidden[:, 0] + 2 * hidden[:, 1]  # what the module has to find out
    found = predicted_losses(hidden[:100], losses[:100], hidden[100:], rng, pair_loss)
    ranks = [np.argsort(np.argsort(side)) for side in (found, losses[100:])]
    assert np.corrcoef(ranks[0], ranks[1])[0, 1] > 0.9


def test_equal_losses_and_flat_layers_teach_nothing_and_break_nothing() -> None:
    flat = np.ones((4, 3), dtype=np.float32)
    found = predicted_losses(flat, np.zeros(4, np.float32), flat, np.random.default_rng(0))
    assert np.isfinite(found).all()
    assert len(np.unique(found)) == 1


def test_chance_comes_from_the_generator_alone(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(loss_prediction, "STEPS", 5)
    hidden = np.random.default_rng(0).random((20, 3), dtype=np.float32)
    before = torch.get_rng_state()
    found = [predicted_losses(hidden, hidden[:, 0], hidden, np.random.default_rng(seed)) for seed in (1, 1, 2)]
    assert found[0].tobytes() == found[1].tobytes() != found[2].tobytes()
    assert torch.equal(torch.get_rng_state(), before)


def test_one_label_is_too_few() -> None:
    with pytest.raises(ValueError, match="two"):
        predicted_losses(np.ones((1, 3), np.float32), np.ones(1, np.float32), np.ones((2, 3), np.float32), None)  # type: ignore[arg-type]
