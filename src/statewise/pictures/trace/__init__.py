"""What a model does with time, found by running it."""
