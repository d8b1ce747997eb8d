"""What can run a recurrence: the reference anywhere, the native kernels on CPUs.

`statewise.recurrence.call` chooses one.
"""
