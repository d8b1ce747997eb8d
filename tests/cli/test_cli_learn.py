import re
import subprocess
import sys
import webbrowser
from pathlib import Path

import pytest
from click.testing import CliRunner

from statewise.cli import main
from statewise.pictures.learn import learn_page


class Browser:
    """A graphical browser that only notes what it's asked to open."""

    def __init__(self, opens=True):
        self.asked, self.opens = [], opens

    def open(self, address):
        self.asked.append(address)
        return self.opens


def learn(*arguments):
    return CliRunner().invoke(main, ["learn", *map(str, arguments)])


def here(monkeypatch, browser):
    def get():
        if browser is None:
            raise webbrowser.Error("could not locate runnable browser")
        return browser

    monkeypatch.setattr(webbrowser, "get", get)


def said_path(result):
    return Path(result.output.removeprefix("Page      ").split(" (")[0].strip())


def test_the_page_is_written_and_not_opened(tmp_path, monkeypatch):
    here(monkeypatch, browser := Browser())
    path = tmp_path / "new folder" / "page.html"
    result = learn("--output", path)
    assert (result.exit_code, result.output) == (0, f"Page      {path}\n")
    assert path.read_text("utf-8") == learn_page()
    assert browser.asked == []


def test_a_page_is_not_written_over_without_a_word(tmp_path):
    path = tmp_path / "page.html"
    path.write_text("mine")
    refused = learn("--output", path)
    assert (refused.exit_code, refused.stdout, path.read_text()) == (2, "", "mine")
    assert f"{path} is there already: --force writes over it" in refused.stderr
    assert learn("--output", path, "--force").exit_code == 0
    assert path.read_text("utf-8") == learn_page()


def test_the_page_is_opened_from_a_folder_of_its_own(monkeypatch):
    here(monkeypatch, browser := Browser())
    result = learn()
    path = said_path(result)
    assert result.exit_code == 0
    assert "(opened in the browser)" in result.output
    assert browser.asked == [path.as_uri()]
    assert path.read_text("utf-8") == learn_page()
    assert path.parent.stat().st_mode & 0o077 == 0  # nobody else can put another page there


@pytest.mark.parametrize(
    "browser",
    [None, Browser(opens=False), webbrowser.GenericBrowser("w3m")],
    ids=["none", "one that opens nothing", "one in a terminal"],
)
def test_without_a_browser_it_says_where_the_page_is(monkeypatch, browser):
    monkeypatch.delenv("BROWSER", raising=False)
    here(monkeypatch, browser)
    result = learn()
    assert result.exit_code == 0
    assert "(no browser here: open this file in one)" in result.output
    assert said_path(result).exists()


def test_a_browser_of_ones_choice_is_used(monkeypatch):
    monkeypatch.setenv("BROWSER", "mine")
    mine = webbrowser.GenericBrowser(["mine", "%s"])
    asked = []
    monkeypatch.setattr(mine, "open", lambda address: asked.append(address) or True)
    here(monkeypatch, mine)
    assert "(opened in the browser)" in learn().output
    assert len(asked) == 1


@pytest.mark.parametrize(
    ("name", "message"),
    [
        ("folder", "'--output': File '.*folder' is a directory"),
        (
            "file/page.html",
            "--output .*file is no folder to write to: (Not a directory|File exists)",
        ),
    ],
)
def test_where_nothing_can_be_written(tmp_path, name, message):
    (tmp_path / "folder").mkdir()
    (tmp_path / "file").touch()
    command = [sys.executable, "-m", "statewise", "learn", "--output", str(tmp_path / name)]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    assert (done.returncode, done.stdout) == (2, "")
    assert len(done.stderr.splitlines()) == 1
    assert re.search(message, done.stderr), done.stderr


def test_the_engine_is_not_loaded(tmp_path):
    code = (
        "import sys, statewise.cli\n"
        f"try: statewise.cli.main(['learn', '--output', {str(tmp_path / 'page.html')!r}])\n"
        "except SystemExit as end: assert not end.code\n"
        "print(*{name.split('.')[0] for name in sys.modules})"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    loaded = set(done.stdout.splitlines()[-1].split())
    assert "statewise" in loaded
    assert not loaded & {"keras", "jax", "pandas", "matplotlib"}
