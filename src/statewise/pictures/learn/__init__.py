"""The learner's page: one HTML file on which one builds a network and sees what it does.

The page's parts are in ``assets/``: `index.html`, `style.css`, modules of plain JavaScript, and
the numbers of a small trained LSTM, which ``scripts/make_tank_lstm.py`` writes. `page` puts them
into one file that loads nothing.
"""

from statewise.pictures.learn.page import learn_page, write_learn_page

__all__ = ["learn_page", "write_learn_page"]
