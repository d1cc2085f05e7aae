"""A real Chromium without a screen, and what the tests want to know about the page in it."""

from __future__ import annotations

import json
import os
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any, Literal
from urllib.parse import urlsplit

from selenium import webdriver
from selenium.webdriver import ActionChains
from selenium.webdriver.chrome.options import Options
from selenium.webdriver.chrome.service import Service
from selenium.webdriver.common.by import By
from selenium.webdriver.common.keys import Keys
from tests.e2e.requirements import program
from tests.e2e.service import wait_until

Theme = Literal["dark", "light"]
DESKTOP, PHONE = (1440, 900), (390, 844)
ARGUMENTS = (
    "--headless=new",
    "--disable-gpu",
    "--disable-dev-shm-usage",
    "--disable-background-networking",
    "--disable-component-update",
    "--no-first-run",
    "--force-color-profile=srgb",
    "--hide-scrollbars",
    "--lang=en-US",
)
HEADER_PX, ROW_PX = 34, 33  # of a Streamlit table at the desk's font size

# Counts what is taken out of the page that is, or holds, a drawing: charts are SVG, tables are canvases.
WATCH_DRAWINGS = """
window.replacedDrawings = [];
const drawings = 'svg.marks, canvas, .vega-embed, [data-testid=stVegaLiteChart], [data-testid=stDataFrame]';
new MutationObserver(changes => {
  for (const change of changes) for (const node of change.removedNodes)
    if (node.nodeType === 1 && (node.matches(drawings) || node.querySelector(drawings)))
      window.replacedDrawings.push(node.outerHTML.slice(0, 200));
}).observe(document.querySelector('[data-testid=stMain]'), {childList: true, subtree: true});
"""


class Browser:
    """One tab. Sizes are CSS pixels."""

    def __init__(self, driver: webdriver.Chrome) -> None:
        self.driver = driver
        self._requested: list[str] = []

    def look(self, size: tuple[int, int], theme: Theme) -> None:
        """Be a screen of `size` whose owner prefers `theme`."""
        width, height = size
        metrics = {"width": width, "height": height, "deviceScaleFactor": 1, "mobile": width < 600}
        self.driver.execute_cdp_cmd("Emulation.setDeviceMetricsOverride", metrics)
        features = [{"name": "prefers-color-scheme", "value": theme}]
        self.driver.execute_cdp_cmd("Emulation.setEmulatedMedia", {"features": features})

    def open(self, url: str, table: str = "anomalies") -> None:
        """Open `url` and wait until the table with key `table` is drawn."""
        self.driver.get(url)
        self.wait_for_text(table)

    def wait_for_text(self, key: str, text: str = "", seconds: float = 15.0) -> None:
        """Wait until the element with Streamlit key `key` has `text` in it, and any text at all."""
        wait_until(lambda: text in self.text_of(key) != "", seconds, f"{text or 'something'} in {key}")

    def text_of(self, key: str) -> str:
        """All text of the element with Streamlit key `key`; a table's cells are in it though they are drawn."""
        return str(self.script(f"return document.querySelector('.st-key-{key}')?.textContent ?? ''"))

    def page_text(self) -> str:
        """The text that a reader of the page sees, tables apart."""
        return str(self.script("return document.querySelector('[data-testid=stMain]').innerText"))

    def script(self, source: str) -> Any:
        """What `source` returns in the page."""
        return self.driver.execute_script(source)

    def click_row(self, key: str, row: int) -> None:
        """Tick the box of row `row` (from 0) of the table with key `key`."""
        canvas = self.driver.find_element(By.CSS_SELECTOR, f".st-key-{key} canvas")
        self.script(f"document.querySelector('.st-key-{key}').scrollIntoView({{block: 'center'}})")
        left, top = -canvas.size["width"] // 2, -canvas.size["height"] // 2
        y = top + HEADER_PX + ROW_PX * row + ROW_PX // 2
        ActionChains(self.driver).move_to_element_with_offset(canvas, left + 16, y).click().perform()

    def click_button(self, words: str) -> None:
        """Click the first button or tab with `words` on it."""
        self.driver.find_element(By.XPATH, f"//*[self::button or @role='tab'][contains(., '{words}')]").click()

    def type_into(self, key: str, words: str) -> None:
        """Type `words` and Enter into the field of the element with Streamlit key `key`."""
        self.script(f"document.querySelector('.st-key-{key}').scrollIntoView({{block: 'center'}})")
        field = self.driver.find_element(By.CSS_SELECTOR, f".st-key-{key} :is(textarea, input)")
        field.send_keys(words, Keys.ENTER)

    def errors(self) -> list[str]:
        """Errors on the page, and those that its scripts have reported since last asked."""
        boxes = self.script("return [...document.querySelectorAll('[data-testid=stException]')].map(e => e.innerText)")
        reported = [entry["message"] for entry in self._log("browser") if entry["level"] == "SEVERE"]
        return [*map(str, boxes), *reported]

    def _log(self, name: str) -> list[dict[str, str]]:
        """What Chromium has logged under `name` since last asked."""
        return list(self.driver.get_log(name))  # type: ignore[no-untyped-call] # selenium left it without types

    def requested_hosts(self) -> set[str]:
        """host:port of every request that the tab has made so far, whether or not it was answered."""
        for entry in self._log("performance"):
            message = json.loads(entry["message"])["message"]
            if message["method"] in ("Network.requestWillBeSent", "Network.webSocketCreated"):
                self._requested.append(message["params"].get("request", message["params"])["url"])
        return {urlsplit(url).netloc for url in self._requested if urlsplit(url).scheme not in ("data", "blob")}

    def save(self, path: Path, *, whole: bool = False) -> None:
        """A picture of the window, or of the `whole` page."""
        if whole:
            width = int(self.script("return innerWidth"))
            height = int(self.script("return document.querySelector('[data-testid=stMain]').scrollHeight"))
            metrics = {"width": width, "height": height, "deviceScaleFactor": 1, "mobile": width < 600}
            self.driver.execute_cdp_cmd("Emulation.setDeviceMetricsOverride", metrics)
            time.sleep(2)  # what was below the window is drawn now
        path.parent.mkdir(parents=True, exist_ok=True)
        assert self.driver.save_screenshot(str(path))


@contextmanager
def chromium() -> Iterator[Browser]:
    """A browser of its own, without history; closed at the end."""
    options = Options()
    options.binary_location = program("chromium", "chromium")
    for argument in ARGUMENTS:
        options.add_argument(argument)
    if os.geteuid() == 0:
        options.add_argument("--no-sandbox")  # Chromium's sandbox refuses root
    options.set_capability("goog:loggingPrefs", {"browser": "ALL", "performance": "ALL"})
    driver = webdriver.Chrome(options=options, service=Service(program("chromedriver", "chromium-driver")))
    try:
        yield Browser(driver)
    finally:
        driver.quit()
