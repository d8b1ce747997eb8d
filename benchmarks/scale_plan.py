"""On paper, and simulated: what a night of forecasts, a large corpus and live keys ask for.

    python benchmarks/scale_plan.py [--series-a-second 20000] [--keys-a-second 540000] ...

Takes rates of one core as `scale.py` measures them, and says cores, memory and network for ten
million series every night, a corpus of 100 GB, and a million live keys at 1 Hz. What arithmetic
can't say is simulated, event by event:

* the night: blocks whose times vary, on so many workers, of which one dies now and then; what was
  under way is done again, and a new worker takes its time to start.
* live keys: steps that arrive at any moment of a second, gathered for a while, pushed to shards
  that are busy for as long as a push takes: how late their outputs are, and where it stops keeping
  up. And a shard that is killed, and back when its store is open again: how long its keys wait.
"""

import argparse
import heapq
import math

import numpy as np

from forecast_common import head, row


def night(series, rate, workers, rng, *, feed=0.0, block=1024, mean_life=math.inf, start=30.0):
    """Simulate blocks on workers; return the seconds until the last is done, and those done again.

    Args:
        series: to forecast.
        rate: series a second of a worker.
        workers: how many.
        rng: what draws.
        feed: seconds for which the process that reads is busy with a block.
        block: series of a block.
        mean_life: seconds after which a worker dies, on average.
        start: seconds until a worker is there.
    """
    blocks = -(-series // block)
    times = block / rate * rng.lognormal(-0.02, 0.2, blocks)  # their mean is 1
    free = [(start, i) for i in range(workers)]
    heapq.heapify(free)
    waiting = list(range(blocks))[::-1]
    ends, again, read = 0.0, 0, 0.0
    dies = rng.exponential(mean_life, workers) if math.isfinite(mean_life) else None
    while waiting:
        now, worker = heapq.heappop(free)
        which = waiting.pop()
        read += feed
        now = max(now, read)
        end = now + times[which]
        if dies is not None and dies[worker] < end:
            again += 1
            waiting.append(which)
            now = max(now, dies[worker]) + start
            dies[worker] = now + rng.exponential(mean_life)
            heapq.heappush(free, (now, worker))
            continue
        ends = max(ends, end)
        heapq.heappush(free, (end, worker))
    return ends, again


def live(own, rate, overhead, gather, rng, *, seconds=120):
    """Simulate a shard that pushes what was gathered; return delays of steps in seconds.

    Args:
        own: keys of the shard, each with a step each second.
        rate: steps a second that it computes.
        overhead: seconds that a push takes besides.
        gather: seconds for which steps are gathered at least.
        rng: what draws.
        seconds: that are simulated.
    """
    pushes, now, since = [], 0.0, 0.0
    while now < seconds:
        begin = max(now, since + gather)
        count = own * (begin - since)
        now = begin + overhead + count / rate
        # Steps came evenly since the last push began: their delays lie evenly, too.
        pushes.append((now - begin, now - since, count))
        since = begin
    low, high, count = np.array(pushes[len(pushes) // 4 :]).T
    at = rng.choice(len(low), 100_000, p=count / count.sum())
    return low[at] + rng.random(len(at)) * (high[at] - low[at])


def after_a_kill(own, rate, overhead, gather, away):
    """Return how long the keys of a shard wait at most that is away for a while, and until it has
    caught up."""
    since, now, longest = 0.0, away, 0.0
    while now - since > gather and now < 3600:
        begin, count = now, own * (now - since)
        now = begin + overhead + count / rate
        longest, since = max(longest, now - since), begin
    return longest, now


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--series-a-second", type=float, default=20_000, help="forecast by a core")
    parser.add_argument("--paths-a-second", type=float, default=400, help="series, of paths")
    parser.add_argument("--rows-read", type=float, default=9e6, help="a second, by one process")
    parser.add_argument("--series-put", type=float, default=200_000, help="a second, by the same")
    parser.add_argument("--keys-a-second", type=float, default=540_000, help="pushed by a shard")
    parser.add_argument("--stored-a-second", type=float, default=86_000, help="with a store")
    parser.add_argument("--routed-a-second", type=float, default=780_000, help="by one router")
    parser.add_argument("--overhead", type=float, default=0.004, help="seconds of a push besides")
    parser.add_argument("--start", type=float, default=8, help="seconds until a new actor is there")
    parser.add_argument(
        "--open-each", type=float, default=5.5e-6, help="seconds of a key of a store"
    )
    parser.add_argument("--steps-a-second", type=float, default=0.5e6, help="trained on by a core")
    a = parser.parse_args()
    rng = np.random.default_rng(0)

    print("## Ten million series every night\n")
    series, steps, horizon = 10_000_000, 120, 12
    print(f"Read {series * steps * 24 / 1e9:.0f} GB, written {series * horizon * 40 / 1e9:.0f} GB.")
    feed = 1024 * (steps / a.rows_read + 1 / a.series_put)
    print(f"The process that reads and appends: {feed * series / 1024 / 60:.1f} minutes.")
    for name, rate in (("points", a.series_a_second), ("drawn paths", a.paths_a_second)):
        print(f"\nOf {name}: {series / rate / 3600:.2f} hours of one core.\n")
        head("cores", "on paper", "simulated", "a worker dead every minute", "blocks done again")
        for workers in (4, 16, 64, 256):
            paper = series / rate / workers
            plain, _ = night(series, rate, workers, rng, feed=feed)
            life = 60.0 * workers
            deadly, again = night(series, rate, workers, rng, feed=feed, mean_life=life)
            row(workers, *(f"{t / 60:.1f} min" for t in (paper, plain, deadly)), again)

    print("\n## A corpus of 100 GB\n")
    rows = 100e9 / 24
    print(f"{rows / 1e9:.1f} billion steps of one feature (24 bytes each: key, time, value).")
    head("cores", "hours for a pass", "MB/s read for each core", "MB/s for all")
    for workers in (1, 4, 16, 64):
        each = a.steps_a_second * 24 / 1e6
        hours = rows / a.steps_a_second / workers / 3600
        row(workers, f"{hours:.2f}", f"{each:.0f}", f"{each * workers:.0f}")

    print("\n## A million live keys at 1 Hz\n")
    routers = math.ceil(1e6 / a.routed_a_second / 0.7)
    print(f"{routers} routers that are busy for 70 % of the time.")
    opening = a.start + a.open_each * 1e6
    print(f"A killed shard is back after {a.start:.0f} s, and its share of {opening:.0f} s.")
    for name, rate in (("in memory", a.keys_a_second), ("with stores", a.stored_a_second)):
        titles = "busy", "half below", "99 % below", "a kill: waits at most", "caught up after"
        head(f"shards {name}", *titles)
        for shards in (2, 4, 8, 16, 32, 64):
            own = 1e6 / shards
            busy = own / rate
            if busy >= 1:
                row(shards, f"{100 * busy:.0f} %", "doesn't keep up", "", "", "")
                continue
            told = np.quantile(live(own, rate, a.overhead, 0.1, rng), [0.5, 0.99])
            late = ["states are lost", ""]
            if name != "in memory":
                kill = after_a_kill(own, rate, a.overhead, 0.1, a.start + a.open_each * own)
                late = [f"{t:.1f} s" for t in kill]
            row(shards, f"{100 * busy:.0f} %", *(f"{1e3 * t:.0f} ms" for t in told), *late)


if __name__ == "__main__":
    main()
