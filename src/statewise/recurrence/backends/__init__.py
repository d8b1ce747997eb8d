"""What can run a recurrence: the reference anywhere, the native kernels on CPUs.

Each is one module with its ``BACKEND`` (see `backend`); `statewise.recurrence.choice` asks them in
their order.
"""
