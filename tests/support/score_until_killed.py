"""A program that scores a stream with a store until it is killed; `test_anomaly_streams.py` does.

``python score_until_killed.py FOLDER`` goes on where the store in the folder ends, and tells each
step's number and score after it was pushed.
"""

import sys
from pathlib import Path

import numpy as np

from statewise.streams import Streams
from statewise.tasks import AnomalyDetector


def main(folder):
    series = np.load(folder / "series.npy")
    detector = AnomalyDetector.load(folder / "a.detector")
    with Streams(detector.model_, store=folder / "killed.db") as streams:
        begin = streams.steps("tank") if "tank" in streams else 0
        for step in range(begin, len(series)):
            reading = detector.push(streams, {"tank": series[step]})["tank"]
            print(step, repr(reading.score), flush=True)


if __name__ == "__main__":
    main(Path(sys.argv[1]))
