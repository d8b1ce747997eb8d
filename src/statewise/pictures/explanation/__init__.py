"""What a model makes of its data, in sentences and tables."""
