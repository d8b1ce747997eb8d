"""``python -m statewise.distributed``: the processes of a run on this machine, started together."""

import sys

from statewise.distributed.joining.launcher import main

if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
