"""Pages in a headless Chromium; skipped, with the reason, where there is none."""

import json
import shutil
from pathlib import Path

import pytest

OPTIONS = (
    "--headless=new --no-sandbox --disable-gpu --disable-quic --no-first-run "
    "--disable-background-networking --disable-component-update --disable-sync"
).split()
DESKTOP, PHONE = (1440, 900), (360, 740)
_NAMES = ("chromium", "chromium-browser", "google-chrome")


class Page:
    """A page in the browser, and what a test does with it."""

    def __init__(self, driver, path: Path):
        self.driver, self.address = driver, path.as_uri()

    def open(self, place="", *, size=DESKTOP):
        """Load the page anew, at a place in it (what stands after #), on a screen of that size."""
        width, height = size
        metrics = {"width": width, "height": height, "deviceScaleFactor": 1}
        self.cdp("Emulation.setDeviceMetricsOverride", **metrics, mobile=size == PHONE)
        self.driver.get("about:blank")
        self.driver.get(f"{self.address}#{place}")
        # On a busy machine the driver has come back before the page's scripts had run.
        self.until("return location.protocol == 'file:' && document.readyState == 'complete'")
        return self

    def prefer(self, **features):
        """Emulate what a person prefers: prefer(color_scheme="dark")."""
        named = [
            {"name": f"prefers-{name.replace('_', '-')}", "value": value}
            for name, value in features.items()
        ]
        self.cdp("Emulation.setEmulatedMedia", features=named)

    def cdp(self, command, **arguments):
        return self.driver.execute_cdp_cmd(command, arguments)

    def js(self, script, *arguments):
        return self.driver.execute_script(script, *arguments)

    def all(self, selector):
        return self.driver.find_elements("css selector", selector)

    def one(self, selector):
        return self.driver.find_element("css selector", selector)

    def texts(self, selector):
        script = "return [...document.querySelectorAll(arguments[0])].map((e) => e.textContent)"
        return self.js(script, selector)

    def text(self, selector):
        # In one go: what is looked up first may be drawn anew before it is read.
        return self.js("return document.querySelector(arguments[0]).textContent.trim()", selector)

    def click(self, selector):
        """Click with the mouse, after scrolling there; what hides the place makes it fail."""
        found = self.one(selector)
        self.js("arguments[0].scrollIntoView({block: 'center', behavior: 'instant'})", found)
        found.click()

    def write(self, selector, value):
        """Write a value into a field, as if typed over the old one."""
        field = self.one(selector)
        field.send_keys("\ue009a\ue000", str(value) if value != "" else "\ue017")  # Ctrl+A first

    def net(self):
        return self.js("return statewise.page.net")

    def call(self, name, *arguments):
        """Call one of the functions that the page offers at the console."""
        return self.js(f"return statewise.{name}(...arguments)", *arguments)

    def until(self, script):
        """Wait until a script gives something true."""
        from selenium.webdriver.support.ui import WebDriverWait

        return WebDriverWait(self.driver, 20, poll_frequency=0.02).until(lambda _: self.js(script))


@pytest.fixture(scope="session")
def chromium(tmp_path_factory):
    webdriver = pytest.importorskip("selenium.webdriver", reason="selenium is not installed")
    from selenium.webdriver.chrome.service import Service

    browser = next(filter(None, map(shutil.which, _NAMES)), None)
    driver_path = shutil.which("chromedriver")
    if not browser or not driver_path:
        pytest.skip("there is no Chromium with its chromedriver here")
    options = webdriver.ChromeOptions()
    options.binary_location = browser
    for option in (*OPTIONS, f"--user-data-dir={tmp_path_factory.mktemp('chromium')}"):
        options.add_argument(option)
    options.set_capability("goog:loggingPrefs", {"browser": "ALL", "performance": "ALL"})
    driver = webdriver.Chrome(options=options, service=Service(driver_path))
    driver.get("about:blank")
    yield driver
    driver.quit()


def watched(driver, path: Path):
    """Give a page, just opened; at the end there was no error, and nothing else was loaded."""
    page = Page(driver, path)
    page.prefer()
    for kind in ("browser", "performance"):
        driver.get_log(kind)  # what the browser did to start, or another test
    yield page.open()
    messages = driver.get_log("browser")
    events = [json.loads(entry["message"])["message"] for entry in driver.get_log("performance")]
    sent = [
        e["params"]["request"]["url"] for e in events if e["method"] == "Network.requestWillBeSent"
    ]
    assert messages == []
    assert sent  # or the log shows nothing at all
    assert {address.partition("#")[0] for address in sent} <= {
        page.address,
        "about:blank",
        "data:,",
    }
