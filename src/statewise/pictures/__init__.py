"""Floor 5: pictures of what a model is and does."""

from statewise.pictures.forecast_plot import plot_forecast

__all__ = ["plot_forecast"]
