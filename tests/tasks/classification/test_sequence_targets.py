"""Labels find their sequences, by order, by key or by column; what doesn't fit is refused."""

import numpy as np
import pandas as pd
import pytest

from statewise.sequences import DataError
from statewise.tasks.classification.class_weights import weights_of
from statewise.tasks.classification.forms import take_in
from statewise.tasks.classification.frames import Roles, roles_of
from statewise.tasks.classification.labels_file import as_list, from_list
from statewise.tasks.classification.targets import (
    classes_of,
    numbers_of,
    places_among,
    read_targets,
)

FRAME = pd.DataFrame(
    {
        "id": ["b", "a", "b", "a", "a"],
        "x": [1.0, 2, 3, 4, 5],
        "kind": ["v", "u", "v", "u", "u"],
        "mood": [10, 20, 11, 21, 22],
    }
)
ROLES = Roles(key="id", features=("x",))
LONG = take_in(FRAME, roles=ROLES)
LIST = take_in([[1.0, 2.0], [3.0]])


@pytest.mark.parametrize(
    "y",
    [
        ["v", "u"],  # in the order in which keys appear
        {"a": "u", "b": "v"},
        pd.Series(["u", "v"], index=["a", "b"]),
        pd.Series(["v", "u"]),  # numbered: in order
    ],
)
def test_labels_of_sequences_find_them(y):
    assert LONG.keys.tolist() == ["b", "a"]
    assert read_targets(FRAME, y, LONG, None, False, "label").tolist() == ["v", "u"]


def test_labels_in_a_column():
    assert read_targets(FRAME, None, LONG, "kind", False, "label").tolist() == ["v", "u"]
    steps = read_targets(FRAME, None, LONG, "mood", True, "label")
    assert steps.tolist() == [10, 11, 20, 21, 22]
    gone = FRAME.assign(kind=FRAME["kind"].where(FRAME["id"] != "b"))
    missing = read_targets(gone, None, LONG, "kind", False, "label")
    assert pd.isna(missing).tolist() == [True, False]
    with pytest.raises(DataError, match=r"'b' has several values in the column 'mood' \(10, 11\)"):
        read_targets(FRAME, None, LONG, "mood", False, "label")


def test_labels_of_steps():
    in_rows = read_targets(FRAME, FRAME["mood"], LONG, None, True, "label")
    assert in_rows.tolist() == [10, 11, 20, 21, 22]
    assert read_targets(None, [["u", "v"], ["w"]], LIST, None, True, "label").tolist() == list(
        "uvw"
    )
    padded = take_in(np.zeros((2, 3, 1)), "time first", lengths=[2, 1])
    assert read_targets(None, [[1, 2, 0], [3, 0, 0]], padded, None, True, "n").tolist() == [1, 2, 3]


@pytest.mark.parametrize(
    ("y", "per_step", "told"),
    [
        (None, False, "requires y to be passed, but the target y is None"),
        (["u"], False, "there are 2 sequences, but 1 labels in y"),
        ([["u", "v"], ["w"]], False, "say per_step=True"),
        ([["u", "v"], ["w", "x"]], True, "sequence 1 has 1 time steps, but 2 labels"),
        (["u", "v"], True, "sequence 0 has 2 time steps, but 1 labels"),
        ({"a": "u"}, False, "the sequences have no keys"),
        ("u", False, "y is 'u'"),
    ],
)
def test_what_does_not_fit_is_refused(y, per_step, told):
    with pytest.raises(DataError, match=told):
        read_targets(None, y, LIST, None, per_step, "label")


def test_keys_that_do_not_fit_are_refused():
    with pytest.raises(DataError, match="no label for 1 sequences, first 'b'"):
        read_targets(FRAME, {"a": "u"}, LONG, None, False, "label")
    with pytest.raises(DataError, match="not the keys of the sequences"):
        read_targets(FRAME, pd.Series([1, 2], index=["x", "y"]), LONG, None, False, "label")
    with pytest.raises(DataError, match="y and a column of labels"):
        read_targets(FRAME, [1, 2], LONG, "kind", False, "label")


@pytest.mark.parametrize(
    ("labels", "told"),
    [
        (["a", "a"], "only one class, 'a'"),
        (["a", None], "1 labels of 2 are missing"),
        ([1.0, np.nan], "1 labels of 2 are missing"),
        ([0.5, 1.0], "Unknown label type: continuous numbers, such as 0.5"),
        (np.array(["a", 1], object), "several types, int and str"),
        ([[1, 2], [2, 1]], r"the shape \(2, 2\)"),
    ],
)
def test_labels_that_are_none(labels, told):
    with pytest.raises(DataError, match=told):
        classes_of(np.asarray(labels))


def test_labels_that_fit_never_saw():
    known = np.array(["a", "b"])
    assert places_among(np.array(["b", "a"], object), known).tolist() == [1, 0]
    with pytest.raises(DataError, match="fit never saw: 'c'; it knows 'a', 'b'"):
        places_among(np.array(["a", "c"]), known)


@pytest.mark.parametrize(
    ("numbers", "told"),
    [(["x", "y"], "SequenceClassifier"), ([1.0, np.nan], "first at place 1"), ([1j], "Complex")],
)
def test_numbers_that_are_none(numbers, told):
    with pytest.raises(DataError, match=told):
        numbers_of(np.asarray(numbers))


def test_class_weights():
    classes, places = np.array(["a", "b"]), np.array([0, 0, 0, 1])
    assert weights_of(None, classes, places).tolist() == [1, 1, 1, 1]
    one = weights_of({"b": 3.0}, classes, places)
    assert one[3] == pytest.approx(3 * one[0])
    assert one.mean() == pytest.approx(1)
    for given, kind, told in [
        ({"c": 1.0}, DataError, "names the class 'c'"),
        ({"a": -1.0}, ValueError, "at least 0"),
        ("even", ValueError, "balanced"),
        ({"a": 0, "b": 0}, ValueError, "no sequence with a weight"),
    ]:
        with pytest.raises(kind, match=told):
            weights_of(given, classes, places)


@pytest.mark.parametrize(
    "classes",
    [np.array(["a", "b"]), np.array(["a", "b"], object), np.array([3, 7]), np.array([False, True])],
)
def test_classes_keep_their_type_in_a_file(classes):
    again = from_list(as_list(classes), 2)
    assert again.dtype == classes.dtype
    assert again.tolist() == classes.tolist()
    with pytest.raises(ValueError, match="no 3 classes"):
        from_list(as_list(classes), 3)


def test_roles():
    with pytest.raises(ValueError, match="columns names 'id'; it can say key, time, label"):
        roles_of({"id": "x"})
    with pytest.raises(TypeError, match="which column is which"):
        roles_of("id")
    with pytest.raises(TypeError, match=r"write \['x'\]"):
        roles_of({"features": "x"})
