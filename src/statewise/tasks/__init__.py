"""Floor 4: whole jobs. From a series to its forecast, beside the forecasts that cost nothing."""

from statewise.tasks.anomaly.detector import AnomalyDetector
from statewise.tasks.classification import (
    Calibration,
    Contributions,
    Decisions,
    SequenceClassifier,
    SequenceRegressor,
)
from statewise.tasks.evaluation.backtesting import backtest
from statewise.tasks.evaluation.baselines import (
    naive,
    naive_one_step,
    seasonal_naive,
    seasonal_naive_one_step,
)
from statewise.tasks.evaluation.holdout import Evaluation, evaluate_closed_loop, evaluate_one_step
from statewise.tasks.evaluation.metrics import coverage, mae, mape, mase, rmse, rmsse, smape, wql
from statewise.tasks.evaluation.result import Backtest
from statewise.tasks.evaluation.significance import diebold_mariano
from statewise.tasks.forecasting.forecaster import Forecaster
from statewise.tasks.text.generator import TextGenerator

__all__ = [
    "AnomalyDetector",
    "Backtest",
    "Calibration",
    "Contributions",
    "Decisions",
    "Evaluation",
    "Forecaster",
    "SequenceClassifier",
    "SequenceRegressor",
    "TextGenerator",
    "backtest",
    "coverage",
    "diebold_mariano",
    "evaluate_closed_loop",
    "evaluate_one_step",
    "mae",
    "mape",
    "mase",
    "naive",
    "naive_one_step",
    "rmse",
    "rmsse",
    "seasonal_naive",
    "seasonal_naive_one_step",
    "smape",
    "wql",
]
