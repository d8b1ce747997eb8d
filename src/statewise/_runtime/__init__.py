"""Floor 0: what is set for the whole process: all of it here, each with its way out.

On ``import statewise``:

- `engine`: ``KERAS_BACKEND=jax`` in the environment. No way out: statewise computes with JAX, and
  refuses another engine.
- `small_loops`: an option in ``XLA_FLAGS``, by which small loops are compiled in one piece. The
  user's own value of the same option stays.
- `registry`: Keras finds our classes by the names in its files. Other names are looked up as ever.
- `forks`: a hook that notes whether JAX had computed something when the process forked.

On the first import of `statewise.recurrence`:

- `compilation_cache`: JAX keeps what it compiles. ``STATEWISE_CACHE=0`` switches it off, and a
  cache that was set up before stays.
- `convolutions` (with `depthwise`): how convolutions are laid out on CPUs. The results stay; there
  is no way out but ``JAX_PLATFORMS`` without ``cpu``.

`exporters` says where ``model.export`` finds the formats that are written on a floor above it.

What is set for as long as a block of code runs stands where it is used: the states of layers in
`statewise.layers.Carry`, the threads of the kernels in `statewise.recurrence.native_threads`.
"""
