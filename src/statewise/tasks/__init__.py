"""Floor 4: whole jobs. From a series to its forecast, beside the forecasts that cost nothing."""

from statewise.tasks.baselines import (
    naive,
    naive_one_step,
    seasonal_naive,
    seasonal_naive_one_step,
)
from statewise.tasks.evaluation import Evaluation, evaluate_closed_loop, evaluate_one_step
from statewise.tasks.forecaster import Forecaster
from statewise.tasks.measures import mae, mape, mase, rmse, smape

__all__ = [
    "Evaluation",
    "Forecaster",
    "evaluate_closed_loop",
    "evaluate_one_step",
    "mae",
    "mape",
    "mase",
    "naive",
    "naive_one_step",
    "rmse",
    "seasonal_naive",
    "seasonal_naive_one_step",
    "smape",
]
