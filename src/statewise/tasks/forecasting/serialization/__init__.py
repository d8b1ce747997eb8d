"""A fitted forecaster in a file, and what a file may claim."""
