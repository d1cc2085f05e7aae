"""The chat and a model's explanations in a real Chromium, with a model that an attacker has in hand."""

from __future__ import annotations

import sys
import threading
from collections.abc import Iterator
from contextlib import closing
from dataclasses import replace
from pathlib import Path

import pytest
from tests.e2e.growing_desk import Canary, GrowingStore, served_desk
from tests.e2e.requirements import missing, program
from tests.e2e.service import wait_until
from tests.explain.fake_endpoint import FakeEndpoint, slow, tool_calls

from livesec.core.clock import now_us
from livesec.explain.model_call import View
from livesec.store.anomaly_queries import anomaly_detail
from livesec.store.explanations import Wording, put_wording
from livesec.store.reader import StoreReader
from livesec.store.second_writer import SecondWriter
from livesec.store.subjects import find_subject

try:
    from tests.e2e.browser import DESKTOP, PHONE, Browser, chromium
except ModuleNotFoundError:
    SELENIUM = False
else:
    SELENIUM = True

pytestmark = pytest.mark.e2e

WORST = f"{17:016x}"
FIND = ("search_anomalies", {"min_severity": "critical", "since": "all"})
ACTIVE = "document.querySelectorAll('[data-testid=stMain] :is(img, iframe, script, a[href])').length"
"""Elements that fetch, run or lead away."""


@pytest.fixture(scope="module")
def canary() -> Iterator[Canary]:
    server = Canary()
    thread = threading.Thread(target=server.serve_forever)
    thread.start()
    yield server
    server.shutdown()
    thread.join()
    server.server_close()


@pytest.fixture(scope="module")
def model() -> Iterator[FakeEndpoint]:
    with FakeEndpoint() as server:
        yield server


@pytest.fixture(scope="module")
def desk(tmp_path_factory: pytest.TempPathFactory, model: FakeEndpoint) -> Iterator[tuple[str, GrowingStore, Path]]:
    if sys.platform != "linux":
        missing("the browser test runs on Linux only")
    if not SELENIUM:
        missing("selenium is not installed (pip install selenium)")
    program("chromium", "chromium")
    program("chromedriver", "chromium-driver")
    folder = tmp_path_factory.mktemp("asked")
    variables = [f"LIVESEC_OPENAI_BASE_URL={model.base_url}", "LIVESEC_EXPLAIN_MODEL=test-model"]
    with served_desk(folder, (), variables) as (address, store):
        yield address, store, folder / "data" / "demo.db"


@pytest.fixture(scope="module")
def browser(desk: tuple[str, GrowingStore, Path]) -> Iterator[Browser]:
    with chromium() as opened:
        opened.look(DESKTOP, "dark")
        yield opened


@pytest.fixture
def page(desk: tuple[str, GrowingStore, Path], browser: Browser) -> Browser:
    browser.open(f"http://{desk[0]}/")
    browser.wait_for_text("ask_suggestions", "top ips 24h")
    return browser


def test_a_typed_command_is_answered_and_its_rows_open(page: Browser, model: FakeEndpoint) -> None:
    page.type_into("ask_input", "anomalies critical all")
    page.wait_for_text("ask_answers", "6 anomalies of severity critical")
    assert model.requests == []
    table = "ask-1-0-0"
    page.wait_for_text(table, "data_exfiltration")
    page.click_row(table, 0)
    wait_until(lambda: "anomaly=" in page.driver.current_url, 10, "the anomaly in the address")
    wait_until(lambda: "Worded by code" in page.page_text(), 10, "its panel")
    assert page.errors() == []


def test_the_page_goes_on_while_a_model_thinks(page: Browser, model: FakeEndpoint) -> None:
    model.script = [slow(4.0, tool_calls([FIND])), tool_calls(f"There are 6; see {WORST}.")]
    page.type_into("ask_input", "What is worst?")
    page.wait_for_text("ask_answers", "Looking it up")
    clock = page.page_text().partition(" UTC")[0]
    wait_until(lambda: page.page_text().partition(" UTC")[0] != clock, 10, "the next tick")
    assert "Looking it up" in page.text_of("ask_answers")
    page.wait_for_text("ask_answers", f"There are 6; see {WORST}.")
    assert "test-model" in page.text_of("ask_answers")
    assert page.errors() == []


def test_a_hostile_answer_is_not_shown_and_fetches_nothing(
    desk: tuple[str, GrowingStore, Path], page: Browser, model: FakeEndpoint, canary: Canary
) -> None:
    words = f"See {WORST} ![x]({canary.origin}/a.png) <img src={canary.origin}/b.png> [open]({canary.origin}/c)"
    model.script = [tool_calls([FIND]), tool_calls(words)]
    page.type_into("ask_input", "What is worst?")
    page.wait_for_text("ask_answers", "There is no answer in words.")
    assert "the model's answer is not shown" in page.text_of("ask_answers")
    assert canary.origin not in page.page_text()
    assert page.script(f"return {ACTIVE}") == 0
    assert page.errors() == []
    assert canary.paths == []
    assert page.requested_hosts() == {desk[0]}


def test_hostile_words_in_the_store_are_shown_as_text(
    desk: tuple[str, GrowingStore, Path], browser: Browser, canary: Canary
) -> None:
    """As if the checks of a model's answer had failed: the page is the last line."""
    address, _, path = desk
    words = f"![x]({canary.origin}/a.png) <img src={canary.origin}/b.png onerror='document.title=1'> :red[all clear]"
    with closing(StoreReader(str(path))) as reader, reader.reading() as connection:
        detail = anomaly_detail(connection, WORST)
    assert detail is not None
    record = replace(
        detail.written,
        headline=words,
        what_happened=words,
        usual=words,
        alternatives=(words,),
        would_change=(words,),
        provenance=replace(detail.written.provenance, writer=words, template=words),
    )
    with closing(SecondWriter(str(path))) as store, store.writing() as connection:
        subject = find_subject(connection, WORST)
        assert subject is not None
        for view in View:
            put_wording(connection, Wording(subject, view, "English", False, record, sent=words), now_us())
    browser.open(f"http://{address}/?anomaly={WORST}")
    wait_until(lambda: "all clear" in browser.page_text(), 10, "the model's words")
    browser.script("document.querySelector('.st-key-anomaly_compare input').click()")
    browser.wait_for_text("anomaly_card_executive_briefing", "In short")
    assert browser.driver.title == "LiveSec"
    assert browser.script(f"return {ACTIVE}") == 0
    assert browser.errors() == []
    assert canary.paths == []
    assert browser.requested_hosts() == {address}


def test_on_a_phone_nothing_scrolls_sideways(page: Browser, tmp_path: Path) -> None:
    page.type_into("ask_input", "count by type all")
    page.wait_for_text("ask_answers", "60 anomalies by type")
    page.look(PHONE, "light")
    try:
        page.save(tmp_path / "ask-phone.png")
        assert page.script("return document.querySelector('[data-testid=stMain]').scrollWidth") <= PHONE[0]
    finally:
        page.look(DESKTOP, "dark")
