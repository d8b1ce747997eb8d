"""One network that learns from all series of a panel."""
