"""Writes pictures of the page of the example report: docs/page-light.png and docs/page-dark.png, which README shows."""

import subprocess
import tempfile
from pathlib import Path
from typing import Literal

import browser
import project

EXAMPLE = project.ROOT / "examples" / "page"
TODAY = "2026-11-22"
WIDTH, HEIGHT = 1180, 1350
# README shows it on many screens, and a repository keeps every version of a picture.
LIMIT = 200_000


def main() -> None:
    """Makes the page and a picture of its beginning in both colour schemes."""
    page = [browser.build_page(), "--history", str(EXAMPLE / "history.json"), "--today", TODAY]
    with (EXAMPLE / "report.json").open() as report:
        html = subprocess.run(page, stdin=report, capture_output=True, check=True).stdout
    with tempfile.TemporaryDirectory() as folder, browser.browser() as chromium:
        path = Path(folder, "page.html")
        path.write_bytes(html)
        schemes: tuple[Literal["light"], Literal["dark"]] = ("light", "dark")
        for scheme in schemes:
            opened = chromium.new_page(viewport={"width": WIDTH, "height": HEIGHT}, color_scheme=scheme)
            opened.goto(path.as_uri())
            picture = project.ROOT / "docs" / f"page-{scheme}.png"
            opened.screenshot(path=picture)
            if picture.stat().st_size > LIMIT:
                raise project.Failure(
                    f"{picture.name} has {picture.stat().st_size:,} bytes, and {LIMIT:,} are the most"
                )
            project.say(f"wrote docs/{picture.name}")


if __name__ == "__main__":
    project.run(main)
