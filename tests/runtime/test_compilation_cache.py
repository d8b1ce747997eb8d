"""Compiled programs on disk: found by the next process, bounded, switched off, never in the way."""

import os
import subprocess
import sys
from pathlib import Path

import filelock
import jax
import pytest

from statewise._runtime import compilation_cache

TRAIN = """
import statewise, numpy as np, jax, keras
from statewise import Sequential, layers
from statewise.recurrence import show_config
keras.utils.set_random_seed(0)
compiled = []
jax.monitoring.register_event_listener(lambda event, **_: compiled.append(event))
model = Sequential([layers.Input((5, 2)), layers.LSTM(3), layers.Dense(1)])
model.compile(loss="mse", optimizer="adam")
x = np.linspace(-1, 1, 80, dtype="float32").reshape(8, 5, 2)
history = model.fit(x, x[:, 0, :1], batch_size=4, epochs=2, shuffle=False, verbose=0)
print("hits", compiled.count("/jax/compilation_cache/cache_hits"))
print("loss", history.history["loss"][-1].hex())
show_config()
"""


def run(**environment):
    """Return what a process of its own prints, line by line."""
    usual = {k: v for k, v in os.environ.items() if not k.startswith(("JAX_COMP", "STATEWISE_"))}
    command = [sys.executable, "-W", "error::UserWarning", "-c", TRAIN]
    done = subprocess.run(command, env=usual | environment, capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
    return done.stdout.splitlines()


def value(lines, name):
    (found,) = [line.split()[1] for line in lines if line.startswith(name + " ")]
    return found


@pytest.mark.slow
def test_the_next_process_finds_the_programs_and_computes_the_same(tmp_path):
    first, second = (run(STATEWISE_CACHE=str(tmp_path)) for _ in range(2))
    assert int(value(first, "hits")) == 0
    assert int(value(second, "hits")) > 3
    assert value(first, "loss") == value(second, "loss")
    assert f"programs    kept in {tmp_path}" in "\n".join(second)


@pytest.mark.slow
def test_it_can_be_switched_off(tmp_path):
    lines = run(STATEWISE_CACHE="0", XDG_CACHE_HOME=str(tmp_path))
    assert not (tmp_path / "statewise").exists()
    assert "STATEWISE_CACHE switches it off" in "\n".join(lines)


@pytest.mark.slow
def test_a_folder_that_cannot_be_made_is_done_without(tmp_path):
    (tmp_path / "file").touch()
    lines = run(STATEWISE_CACHE=str(tmp_path / "file"))
    assert "can't be written" in "\n".join(lines)


@pytest.mark.slow
def test_a_cache_of_the_users_own_is_left_alone(tmp_path):
    lines = run(JAX_COMPILATION_CACHE_DIR=str(tmp_path / "own"), XDG_CACHE_HOME=str(tmp_path))
    assert "JAX has one of its own" in "\n".join(lines)
    assert not (tmp_path / "statewise").exists()


def test_folders_of_other_versions_go_when_unused_for_a_month(tmp_path, monkeypatch):
    old, recent, chosen = (tmp_path / f"programs-{name}" for name in ("old", "recent", "chosen"))
    for folder in (old, recent, chosen):
        folder.mkdir()
    os.utime(old, (0, 0))
    os.utime(chosen, (0, 0))
    compilation_cache._forget_unused(tmp_path, chosen)
    assert [Path(p).exists() for p in (old, recent, chosen)] == [False, True, True]


@pytest.mark.slow
def test_a_program_whose_writing_was_cut_short_is_made_anew(tmp_path):
    first = run(STATEWISE_CACHE=str(tmp_path))
    (folder,) = tmp_path.glob("programs-*")
    longest = max(folder.glob("*-cache"), key=lambda path: path.stat().st_size)
    whole = longest.stat().st_size
    with longest.open("r+b") as file:
        file.truncate(whole // 2)
    longest.with_name(longest.name.removesuffix("-cache") + "-atime").unlink()
    second = run(STATEWISE_CACHE=str(tmp_path))  # a warning would be an error
    assert value(first, "loss") == value(second, "loss")
    assert longest.stat().st_size > whole // 2


def test_only_what_was_cut_short_is_removed_and_not_while_somebody_writes(tmp_path):
    for name in ("whole-cache", "whole-atime", "cut-cache"):
        (tmp_path / name).touch()
    with filelock.FileLock(tmp_path / ".lockfile"):
        compilation_cache._forget_cut(tmp_path)
    assert (tmp_path / "cut-cache").exists()
    compilation_cache._forget_cut(tmp_path)
    assert not (tmp_path / "cut-cache").exists()
    assert (tmp_path / "whole-cache").exists()


@pytest.fixture
def left_as_it_was():
    """The cache of this process, as it was before the test."""
    before, why = compilation_cache.folder_in_use(), compilation_cache.why_off()
    chosen = jax.config.jax_compilation_cache_dir
    yield
    compilation_cache._Now.folder, compilation_cache._Now.off_reason = before, why
    jax.config.update("jax_compilation_cache_dir", chosen)
    compilation_cache.compilation_cache.reset_cache()


def keep(wish, monkeypatch):
    """Return the folder that a process with this wish in its environment would use."""
    monkeypatch.delenv("JAX_COMPILATION_CACHE_DIR", raising=False)
    monkeypatch.setenv("STATEWISE_CACHE", wish)
    jax.config.update("jax_compilation_cache_dir", None)
    return compilation_cache.keep_compiled_programs()


def test_a_tilde_is_the_home_folder(tmp_path, monkeypatch, left_as_it_was):
    monkeypatch.setenv("HOME", str(tmp_path / "home"))
    monkeypatch.chdir(tmp_path)
    assert keep("~/programs", monkeypatch).parent == tmp_path / "home" / "programs"
    assert keep("here", monkeypatch).parent == tmp_path / "here"
    assert sorted(path.name for path in tmp_path.iterdir()) == ["here", "home"]


def test_a_home_that_nobody_has(tmp_path, monkeypatch, left_as_it_was):
    monkeypatch.chdir(tmp_path)
    assert keep("~nobody-of-this-name/x", monkeypatch) is None
    assert "leads nowhere" in compilation_cache.why_off()
    assert list(tmp_path.iterdir()) == []
