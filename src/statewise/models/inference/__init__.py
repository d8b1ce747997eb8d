"""Models that go on: step by step, and in closed loop beyond what is known."""
