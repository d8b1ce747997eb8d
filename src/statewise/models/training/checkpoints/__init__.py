"""Checkpoints of a training: its whole state in files, so that a killed run goes on to the bit.

From bottom to top: `container` is one file of arrays and a document, `folder` the files of a
training and which of them is the newest whole one. `values`, `randomness`, `contents` and
`callback_states` take the state of a training apart and put it back, `identity` says which training
it is, `replay` finds the place in the data. `saving` is what `fit` calls.
"""
