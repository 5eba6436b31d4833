"""The page of a report in a real browser."""

import copy
import json
import os
import re
import subprocess
import threading
from collections.abc import Callable, Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

import browser
import project
import pytest
from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import Browser, Page, expect

EXAMPLE = project.ROOT / "examples" / "page"
REPORT = json.loads((EXAMPLE / "report.json").read_text())
ARCHIVES, SUSPENDED = "filter-archives-findings", "member-account-suspended"
ROWS = ".violations > tbody > tr"


@pytest.fixture(scope="module")
def chromium() -> Iterator[Browser]:
    """The browser. Where it has to be there, that it is not is a failure."""
    if browser.program() is None and os.environ.get("REQUIRE_BROWSER") != "1":
        pytest.skip("there is no Chromium")
    with browser.browser() as started:
        yield started


@pytest.fixture(scope="module")
def program() -> str:
    """The program that makes the page."""
    return browser.build_page()


class Site:
    """A page on loopback, with all that is asked of its server."""

    def __init__(self) -> None:
        site = self

        class Handler(BaseHTTPRequestHandler):
            def do_GET(self) -> None:
                site.asked.append(self.path)
                self.send_response(200)
                self.send_header("Content-Type", "text/html")
                self.end_headers()
                self.wfile.write(site.html)

            def log_message(self, *_: object) -> None:
                pass

        self.html = b""
        self.asked: list[str] = []
        self.server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self.url = f"http://127.0.0.1:{self.server.server_port}/"


@pytest.fixture(scope="module")
def site() -> Iterator[Site]:
    """A server for the page."""
    site = Site()
    thread = threading.Thread(target=site.server.serve_forever)
    thread.start()
    yield site
    site.server.shutdown()
    thread.join()
    site.server.server_close()


Open = Callable[..., Page]


@pytest.fixture
def open_page(chromium: Browser, program: str, site: Site) -> Iterator[Open]:
    """Opens the page of a report. In the end nothing but the page was asked for, and nothing complained."""
    contexts = []
    trouble: list[str] = []

    def open_it(report: dict[str, Any] = REPORT, fragment: str = "", **context: Any) -> Page:
        command = [program, "--history", str(EXAMPLE / "history.json"), "--today", "2026-11-22"]
        done = subprocess.run(command, input=json.dumps(report).encode(), capture_output=True, check=True)
        site.html = done.stdout
        contexts.append(chromium.new_context(viewport={"width": 1200, "height": 900}, **context))
        page = contexts[-1].new_page()
        page.on("console", lambda message: trouble.append(f"console: {message.text}"))
        page.on("pageerror", lambda error: trouble.append(f"error: {error}"))
        page.on("dialog", lambda dialog: trouble.append(f"dialog: {dialog.message}"))
        # The one is the page, and the other is its empty icon.
        known = [site.url, "data:,"]
        page.on("request", lambda request: request.url in known or trouble.append(f"request: {request.url}"))
        page.on("popup", lambda _: trouble.append("a window"))
        site.asked.clear()
        page.goto(site.url + fragment)
        return page

    yield open_it
    assert site.asked == ["/"]
    assert trouble == []
    for context in contexts:
        context.close()


def with_members(number: int) -> dict[str, Any]:
    """The report with so many members that are suspended, and nothing else."""
    report = copy.deepcopy(REPORT)
    member = next(violation for violation in REPORT["violations"] if violation["rule"] == SUSPENDED)
    report["violations"] = [copy.deepcopy(member) for _ in range(number)]
    for index, violation in enumerate(report["violations"]):
        violation["id"] = f"{index:016x}{0:016x}"
        violation["resource"]["id"] = f"{200_000_000_000 + index}"
    report["summary"]["violations"] = number
    return report


def shown(page: Page) -> int:
    """How many violations are to be seen."""
    return page.locator(f"{ROWS}:visible").count()


def unfold(page: Page) -> None:
    """Opens all that is folded."""
    page.eval_on_selector_all("details", "all => all.forEach(one => { one.open = true; })")


def column(page: Page, table: str, number: int) -> list[str]:
    """The texts of a column of a table, from above."""
    return [text.strip() for text in page.locator(f"{table} > tbody > tr > :nth-child({number})").all_inner_texts()]


def test_the_page_is_there_and_asks_for_nothing(open_page: Open) -> None:
    """What it shows comes with it."""
    page = open_page()
    expect(page).to_have_title("NON_COMPLIANT: Amazon Macie, 2 accounts, 3 Regions")
    assert shown(page) == 16
    assert page.locator("#matching").inner_text() == "16 violations."


def test_a_table_is_sorted_by_a_click(open_page: Open) -> None:
    """Once one way, and again the other; the head of the column says which."""
    page = open_page()
    accounts = "#overview .sortable"
    head = page.locator(f"{accounts} th", has_text="Account").first
    for order, sorted_ids in [("ascending", False), ("descending", True)]:
        head.get_by_role("button").click()
        assert head.get_attribute("aria-sort") == order
        ids = [text.split()[0] for text in column(page, accounts, 1)]
        assert ids == sorted(["111122223333", "444455556666"], reverse=sorted_ids)
    numbers = page.locator(f"{accounts} th", has_text="All")
    # Of numbers the greatest is what people look for.
    numbers.get_by_role("button").click()
    assert (numbers.get_attribute("aria-sort"), head.get_attribute("aria-sort")) == ("descending", None)
    assert column(page, accounts, 2) == ["15", "1"]


def test_severities_and_violations_are_sorted_by_what_they_are(open_page: Open) -> None:
    """Severities by their rank, and the violations of a group among themselves."""
    page = open_page()
    exempted = "#exemptions .sortable"
    for severities in [["HIGH", "HIGH", "MEDIUM"], ["MEDIUM", "HIGH", "HIGH"]]:
        page.locator(f"{exempted} th", has_text="Severity").get_by_role("button").click()
        assert column(page, exempted, 1) == severities
    members = f"[data-rule={SUSPENDED}] .violations"
    page.locator(f"{members} th", has_text="First seen").get_by_role("button").click()
    days = column(page, members, 6)
    assert len(days) == 5
    assert days == sorted(days)
    assert days[0] != days[-1]


def test_violations_are_filtered(open_page: Open) -> None:
    """By each of the controls alone, by two at once, and by words."""
    page = open_page()
    status = page.locator("#matching")
    for label, value, number in [("Severity", "HIGH", 11), ("Change", "NEW", 2), ("Rule", ARCHIVES, 6)]:
        choice = page.get_by_label(label, exact=True)
        choice.select_option(value)
        assert shown(page) == number
        assert status.inner_text() == f"{number} of 16 violations match."
        choice.select_option("")
    # What is asked for in two ways has to fit both.
    page.get_by_label("Change", exact=True).select_option("NEW")
    page.get_by_label("Rule", exact=True).select_option(ARCHIVES)
    assert shown(page) == 1
    page.get_by_role("button", name="Clear").click()
    assert shown(page) == 16
    page.get_by_label("Search").fill("eu-west-1 Paused")
    assert shown(page) == 1
    assert page.locator(".group:visible").count() == 1
    page.get_by_label("Search").fill("no such thing")
    assert shown(page) == 0
    assert status.inner_text() == "0 of 16 violations match."


def test_the_page_reads_without_script(open_page: Open) -> None:
    """Nothing is hidden until a script shows it."""
    page = open_page(java_script_enabled=False)
    assert shown(page) == 16
    text = page.locator("body").inner_text()
    for violation in REPORT["violations"]:
        assert (violation["resource"]["name"] or violation["resource"]["id"]) in text
    # What nothing would answer is not shown.
    assert page.locator("input:visible, select:visible, button:visible").count() == 0


@pytest.mark.parametrize("width", [1200, 375])
@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_axe_finds_nothing_serious(open_page: Open, scheme: str, width: int) -> None:
    """In both colour schemes, on a wide and on a narrow screen."""
    page = open_page(color_scheme=scheme)
    page.set_viewport_size({"width": width, "height": 900})
    # What is folded is looked at too.
    unfold(page)
    found = Axe().run(page).response["violations"]
    assert [one["id"] for one in found if one["impact"] in ("serious", "critical")] == [], found


def test_a_narrow_window_scrolls_in_one_direction(open_page: Open) -> None:
    """On a phone only tables of numbers are wider than the screen, and they scroll by themselves."""
    for report in (REPORT, with_members(0)):
        page = open_page(report)
        page.set_viewport_size({"width": 375, "height": 800})
        assert page.evaluate("document.documentElement.scrollWidth") <= 375
        page.context.close()


HOSTILE = [
    "<script>window.hit = 1; alert(1)</script>",
    '"><img src=http://127.0.0.1:9/x onerror="window.hit = 1">',
    "</style></script><script>window.hit = 1</script>",
    "javascript:window.hit=1",
    "' onmouseover='window.hit = 1",
    "{{constructor.constructor('window.hit = 1')()}}",
    "<svg/onload=window.hit=1>",
]


def rename(value: Any, name: str) -> Any:
    """The report with its names and the texts that others write changed."""
    theirs = {"name", "description", "reason", "owner", "ticket", "message", "status", "source", "region", "problem"}
    if isinstance(value, dict):
        return {
            key: name if key in theirs and isinstance(one, str) else rename(one, name) for key, one in value.items()
        }
    if isinstance(value, list):
        return [name if isinstance(one, str) else rename(one, name) for one in value]
    return value


@pytest.mark.parametrize("name", HOSTILE)
def test_a_hostile_name_does_nothing(open_page: Open, name: str) -> None:
    """Whatever others wrote is text, and what it would load or run does not happen."""
    page = open_page(rename({**REPORT, "rulesDisabled": []}, name))
    expect(page.locator("#violations")).to_contain_text(f"Filter “{name}”")
    # Everything that may carry something is touched.
    page.get_by_label("Search").fill(name)
    assert shown(page) > 0
    unfold(page)
    page.locator(ROWS).first.hover()
    assert page.evaluate("window.hit") is None
    assert page.locator("script").count() == 1
    assert page.locator("img, iframe, object, embed, form").count() == 0
    addresses = page.eval_on_selector_all("a", "links => links.map(link => link.protocol)")
    assert set(addresses) <= {"http:", "https:"}


def pages(page: Page) -> int:
    """How many sheets of paper the page is."""
    return len(re.findall(rb"/Type\s*/Page\b", page.pdf(format="A4")))


@pytest.mark.parametrize("script", [True, False])
def test_everything_is_printed(open_page: Open, script: bool) -> None:
    """Paper cannot be unfolded, and what was folded is folded again."""
    page = open_page(with_members(600), java_script_enabled=script)
    assert shown(page) == 0
    # Forty of them fit on a sheet at most.
    assert pages(page) > 600 / 40
    assert shown(page) == 0


def test_ten_thousand_violations_come_in_pages(open_page: Open) -> None:
    """A hundred at a time, and each of them can be found."""
    page = open_page(with_members(10_000))
    assert shown(page) == 0
    page.locator(".group > summary").click()
    assert shown(page) == 100
    page.get_by_role("button", name="Show 100 more").click()
    assert shown(page) == 200
    page.get_by_label("Search").fill("200000009999")
    assert shown(page) == 1
    assert page.locator("#matching").inner_text() == "1 of 10,000 violations match."
    page.get_by_role("button", name="Clear").click()
    assert shown(page) == 100
    page.locator(".violations th", has_text="Resource").get_by_role("button").click()
    page.locator(".violations th", has_text="Resource").get_by_role("button").click()
    assert "200000009999" in page.locator(f"{ROWS}:visible").first.inner_text()


def test_a_link_to_a_violation_shows_it(open_page: Open) -> None:
    """Though it is folded, and not among the first."""
    page = open_page(with_members(300), f"#v{299:016x}")
    expect(page.get_by_text("Member account 200000000299")).to_be_in_viewport()


def test_a_run_without_violations_has_nothing_to_filter(open_page: Open) -> None:
    """The script does without the controls."""
    report = with_members(0)
    report["verdict"] = "COMPLIANT"
    page = open_page(report)
    expect(page.get_by_role("heading", level=1)).to_have_text("Nothing to do today")
    assert page.locator("search, .violations").count() == 0
    # The other tables are sorted all the same.
    head = page.locator("#rules th", has_text="Passed")
    head.get_by_role("button").click()
    assert head.get_attribute("aria-sort") == "descending"
