"""How good a forecast is: metrics, baselines beside it, hold-outs and backtests."""
