import numpy as np
import pytest

from statewise.recurrence.native import available
from statewise.tasks.text import loops
from statewise.tasks.text.drawing import Drawing
from statewise.tasks.text.fitted import Learned
from statewise.tasks.text.network import Plan, network
from statewise.tasks.text.tokens import Counting
from statewise.tasks.text.writing import stops_of, written

NATIVE = pytest.mark.skipif(not available(), reason="the native extension isn't built")
TEXT = "to be or not to be, that is the question"


def learned(level="char", **changes):
    tokens = Counting(level).finish(TEXT, None)
    plan = {"cell": "lstm", "units": 9, "layers": 2, "tied": False, "layer_norm": False} | changes
    made = Plan(len(tokens), 6, dropout=0.1, weight_drop=0.0, seed=1, **plan)
    return Learned(made, tokens, network(made))


@pytest.fixture(scope="module")
def plain():
    return learned()


def write(one, prompts, length, loop=None, stops=(), seed=0, **drawing):
    tokens = one.tokens
    rows = written(
        loop or one.loop,
        tokens,
        [tokens.encode(prompt) for prompt in prompts],
        length=length,
        drawing=Drawing(**drawing, never=tokens.never_drawn),
        stops=stops,
        seed=seed,
    )
    return list(zip(*rows, strict=True))


@NATIVE
@pytest.mark.parametrize("changes", [{}, {"cell": "gru", "layers": 1, "tied": True}])
def test_both_loops_write_the_same(changes):
    one = learned(**changes)
    compiled = loops.CompiledLoop(one.passes)
    prompts = ["to be", "", "that is the"]
    assert isinstance(one.loop, loops.NativeLoop)
    got = write(one, prompts, 60)
    assert got == write(one, prompts, 60, compiled)
    assert len({"".join(row) for row in got}) == 3


@pytest.mark.slow
def test_what_the_native_step_does_not_serve_is_compiled():
    one = learned(layer_norm=True, layers=1)
    assert isinstance(one.loop, loops.CompiledLoop)
    (row,) = write(one, ["to"], 20)
    assert len("".join(row)) == 20
    # The likeliest token, again and again, each after a run over all that's there.
    best, text = "", "to"
    for _ in range(5):
        scores, _ = one.passes.scores_and_states([one.tokens.encode(text + best)])
        best += one.tokens.decode([1 + int(np.argmax(np.asarray(scores)[0, 1:]))])
    assert "".join(write(one, ["to"], 5, temperature=0)[0]) == best


def test_a_row_is_that_of_its_prompt_alone_and_of_any_length(plain):
    together = write(plain, ["not ", "question"], 50)
    (alone,) = write(plain, ["not "], 50)
    assert "".join(together[0]) == "".join(alone)
    for length in (1, 15, 16, 17):
        (row,) = write(plain, ["not "], length)
        assert "".join(row) == "".join(alone)[:length]
    (other,) = write(plain, ["not "], 50, seed=1)
    assert other != alone


@pytest.mark.parametrize(
    "native", [pytest.param(True, marks=NATIVE), pytest.param(False, marks=pytest.mark.slow)]
)
def test_texts_may_be_written_in_turn(plain, native):
    loop = plain.loop if native else loops.CompiledLoop(plain.passes)
    (first,), (second,) = (write(plain, [p], 40, loop) for p in ("to", "question"))
    options = {"length": 40, "drawing": Drawing(never=0), "stops": (), "seed": 0}
    prompts = [[plain.tokens.encode(p)] for p in ("to", "question")]
    both = [written(loop, plain.tokens, prompt, **options) for prompt in prompts]
    in_turn = list(zip(*both, strict=True))
    assert [a for (a,), _ in in_turn] == list(first)
    assert [b for _, (b,) in in_turn] == list(second)


def test_seed_none_draws_others_each_time(plain):
    assert write(plain, [""], 40, seed=None) != write(plain, [""], 40, seed=None)


@pytest.mark.parametrize("size", [1, 2, 5])
def test_a_text_ends_before_the_first_stop_string(plain, size):
    (row,) = write(plain, ["to be"], 120)
    text = "".join(row)
    for place in range(0, 120 - size, 7):
        stop = text[place : place + size]
        (cut,) = write(plain, ["to be"], 120, stops=["zzz", stop, stop + "?" * 20])
        assert "".join(cut) == text[: text.find(stop)]
    (whole,) = write(plain, ["to be"], 120, stops=[text[-3:] + "z", "zz"])
    assert "".join(whole) == text


def test_one_row_may_end_before_the_others(plain):
    first, second = ("".join(row) for row in write(plain, ["to be", "or"], 64))
    stop = next(second[i : i + 3] for i in range(60) if second[i : i + 3] not in first)
    got = ["".join(row) for row in write(plain, ["to be", "or"], 64, stops=[stop])]
    assert got == [first, second[: second.find(stop)]]


def test_bytes_are_written_as_bytes():
    one = learned("bytes", layers=1, units=3)
    (row,) = write(one, [b"\xff\x00to"], 40, stops=stops_of(["é"], "bytes"))
    assert all(isinstance(piece, bytes) for piece in row)
    assert len(b"".join(row)) == 40


@pytest.mark.parametrize("stop", [5, [None], [b"a"]])
def test_what_is_no_stop_string_is_refused(stop):
    with pytest.raises(TypeError):
        stops_of(stop, "char")
    with pytest.raises(ValueError, match="empty"):
        stops_of(["a", ""], "char")
