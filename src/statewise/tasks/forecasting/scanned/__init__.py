"""Forecasting panels that are never in memory whole: learned from, and forecast, block by block."""
