"""`Forecaster`, and the two kinds of networks that it chooses from."""
