"""`fit`, `evaluate` and `predict`: the batches of an epoch in one compiled program.

From top to bottom: `running` is what a model calls; `batches` and `lane_batches` cut the data into
pieces, `pieces` runs one in a program, `programs` compiles it of the `steps` of one batch.
"""
