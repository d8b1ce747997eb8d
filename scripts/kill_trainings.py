"""Kill trainings with checkpoints, and hold what they end with to trainings that weren't.

    python scripts/kill_trainings.py [--seed 0] [--kills 200] [--by-time 0.5]

Trainings on arrays, lanes and a generator are killed (``kill -9``) at a random step of training or
saving (within a file that is half written, before and after each ``fsync``, ``rename`` and removal)
or at any time from outside, and started again, until they end. All checkpoints that are there after
a kill must be whole, none older than the newest before, and at the end weights, optimizer and
history must be those of a training without checkpoints, to the bit.

Prints how it goes and ends with 0, or prints the fault and ends with 1.
"""

import argparse
import random
import sys
import tempfile
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[1] / "tests" / "support"))

from train_until_killed import KINDS, Fault, Trainings, kill


def main() -> int:
    """Kill as many as the command line says."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--kills", type=int, default=200)
    parser.add_argument("--by-time", type=float, default=0.5)
    options = parser.parse_args()
    with tempfile.TemporaryDirectory() as room:
        trainings = Trainings(Path(room))
        rng = random.Random(options.seed)
        try:
            kill(trainings, list(KINDS), options.kills, rng, options.by_time, print)
        except Fault as fault:
            print(f"seed {options.seed}: {fault}")
            return 1
        finally:
            trainings.close()
    return 0


if __name__ == "__main__":
    sys.exit(main())
