"""Chromium, driven by Playwright. Run by itself, it installs the one of Debian where there is none."""

import os
import shutil
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager

import project
import services
from playwright.sync_api import Browser, sync_playwright

# Without a font Chromium shows boxes.
PACKAGES = ["chromium", "fonts-dejavu-core"]
NAMES = ["chromium", "chromium-browser", "google-chrome"]


def main() -> None:
    """Installs a browser, or says plainly that there is none."""
    if program():
        return
    if os.geteuid() != 0 or not shutil.which("apt-get"):
        project.say("there is no Chromium, so what needs a browser is left out: install the package chromium")
        return
    project.say(f"installing {' and '.join(PACKAGES)} (once)")
    for command in [["update", "--quiet"], ["install", "--yes", "--quiet", "--no-install-recommends", *PACKAGES]]:
        env = {**os.environ, "DEBIAN_FRONTEND": "noninteractive"}
        done = subprocess.run(["apt-get", *command], env=env, capture_output=True, text=True, check=False)
        if done.returncode:
            raise project.Failure(f"apt-get {command[0]} failed: {' '.join(done.stderr.split())[-500:]}")


def program() -> str | None:
    """Where the browser is."""
    return next(filter(None, map(shutil.which, NAMES)), None)


@contextmanager
def browser() -> Iterator[Browser]:
    """A browser without a window, which asks nobody for anything by itself."""
    path = program()
    if path is None:
        raise project.Failure("there is no Chromium: install the package chromium, or run `make browser` as root")
    with sync_playwright() as playwright:
        started = playwright.chromium.launch(executable_path=path)
        try:
            yield started
        finally:
            started.close()


def build_page() -> str:
    """Builds the program that makes the page of a report, and tells where it is."""
    services.cargo("build", "--package", "macie-compliance-core", "--features", "deserialize", "--bin", "page")
    return str(project.target_directory() / "debug" / "page")


if __name__ == "__main__":
    project.run(main)
