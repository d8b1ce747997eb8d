"""Which steps of a series are none that were to be expected."""
