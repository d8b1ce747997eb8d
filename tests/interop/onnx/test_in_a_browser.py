"""The example page: ONNX Runtime in a headless Chromium streams what the model forecasts."""

import functools
import http.server
import json
import runpy
import shutil
import subprocess
import threading
from pathlib import Path
from typing import ClassVar

import numpy as np
import pytest

from browser import chromium  # noqa: F401

pytest.importorskip("onnx", reason="needs onnx")

EXAMPLE = Path(__file__).parents[3] / "examples" / "in_a_browser"
INSTALL = "npm install --ignore-scripts --no-audit --no-fund --no-progress".split()


class Quiet(http.server.SimpleHTTPRequestHandler):
    extensions_map: ClassVar = {
        **http.server.SimpleHTTPRequestHandler.extensions_map,
        ".mjs": "text/javascript",
        ".wasm": "application/wasm",
    }

    def log_message(self, *_):
        """Print nothing."""


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    """The example's folder with ONNX Runtime in it, or a reason to skip."""
    npm = shutil.which("npm")
    if npm is None:
        pytest.skip("npm, which brings onnxruntime-web, isn't here")
    folder = tmp_path_factory.mktemp("in_a_browser")
    for name in ("package.json", "index.html"):
        shutil.copy(EXAMPLE / name, folder)
    try:
        subprocess.run(
            [npm, *INSTALL[1:]], cwd=folder, capture_output=True, timeout=240, check=True
        )
    except (subprocess.CalledProcessError, subprocess.TimeoutExpired) as error:
        said = (error.stderr or b"").decode(errors="replace").strip().splitlines()
        pytest.skip(f"npm can't install onnxruntime-web here: {said[:1]}")
    return folder


@pytest.fixture
def address(folder):
    """Serve the folder, on a port of its own."""
    handler = functools.partial(Quiet, directory=str(folder))
    with http.server.ThreadingHTTPServer(("127.0.0.1", 0), handler) as server:
        thread = threading.Thread(target=server.serve_forever, args=(0.05,))
        thread.start()
        yield f"http://127.0.0.1:{server.server_port}/index.html"
        server.shutdown()
        thread.join()


@pytest.mark.slow
def test_the_page_streams_the_forecasts_of_the_model(folder, address, chromium, monkeypatch):  # noqa: F811
    from selenium.webdriver.support.ui import WebDriverWait

    monkeypatch.chdir(folder)
    made = runpy.run_path(str(EXAMPLE / "write_files.py"))
    told = json.loads((folder / "stream.json").read_text("utf-8"))
    (folder / "stream.json").write_text(json.dumps({**told, "pause": 0}), "utf-8")
    chromium.get_log("browser")
    chromium.get(address)
    look = "return window.told ? JSON.stringify(window.told.forecasts) : null"
    found = WebDriverWait(chromium, 60).until(lambda driver: driver.execute_script(look))
    shown = chromium.execute_script("return document.querySelector('#next').textContent")
    messages = chromium.get_log("browser")
    chromium.get("about:blank")
    assert messages == []
    got = np.array(json.loads(found))
    known, arriving = np.array(told["known"]), np.array(told["arriving"])
    assert got.shape == (len(arriving), told["horizon"], 2)
    model, whole = made["model"], np.concatenate([known, arriving])[None].astype("float32")
    for number in (0, 7, len(arriving) - 1):
        seen = whole[:, : len(known) + number + 1]
        expected = model.forecast(seen, told["horizon"])[0]
        np.testing.assert_allclose(got[number], expected, atol=1e-4)
    level = got[-1, 0, 0] * told["scale"][0] + told["shift"][0]
    assert abs(float(shown) - level) < 0.006
    assert np.std(got[:, 0, 0]) > 0.05
