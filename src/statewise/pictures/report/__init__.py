"""The report: one HTML file that shows forecasts, how far off they were, and how to repeat them.

`content` gathers what is shown, `packing` makes the numbers of many series small, and `page` puts
them together with the parts in ``assets/`` into one file that loads nothing.
"""

from statewise.pictures.report.content import Report, report_of_backtest, report_of_forecast
from statewise.pictures.report.page import report_page, write_report

__all__ = ["Report", "report_of_backtest", "report_of_forecast", "report_page", "write_report"]
