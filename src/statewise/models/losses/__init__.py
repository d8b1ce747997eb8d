"""Losses computed otherwise than Keras computes them, with the same results."""
