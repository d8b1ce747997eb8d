"""`fit`, `evaluate` and `predict`: the batches of an epoch in one compiled program.

From top to bottom: `running` is what a model calls (`fit`, `evaluation`, `single_batches`);
`batches` and `lane_batches` make pieces of the data, `piece_runs` runs one in a program, `programs`
compiles it of the `steps` of one batch.
"""
