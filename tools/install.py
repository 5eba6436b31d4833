"""Installs the pinned tools into .tools, once: tools/requirements has a file for each environment.

Their requirements contradict each other, hence more than one environment.
"""

import fcntl
import hashlib
import os
import shutil
import subprocess
import sys
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import project

REQUIREMENTS = project.ROOT / "tools" / "requirements"
# What is put on the path, by environment. The rest of an environment stays out of the way of other programs.
PROGRAMS = {
    "checks": ["cargo-lambda", "pytest", "ruff", "shellcheck"],
    "emulator": ["ministack"],
    "sam": ["sam", "cfn-lint"],
}


def main() -> None:
    """Installs what is missing or has changed."""
    if sys.version_info < (3, 11):  # noqa: UP036
        raise project.Failure(f"Python 3.11 or later is needed, and this is {sys.version.split()[0]}")
    project.TOOLS.mkdir(exist_ok=True)
    # Two at a time would undo each other's work.
    with (project.TOOLS / "lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        missing = [name for name in PROGRAMS if stamp(name).read_text() != wanted(name)]
        if not missing:
            return
        project.say(f"installing {', '.join(missing)} into .tools (once; about a minute)")
        with ThreadPoolExecutor() as pool:
            list(pool.map(install, missing))


def stamp(name: str) -> Path:
    """The file that tells what was installed."""
    path = project.TOOLS / f"{name}.stamp"
    path.touch()
    return path


def wanted(name: str) -> str:
    """What the stamp holds when everything is as it should be."""
    requirements = (REQUIREMENTS / f"{name}.txt").read_bytes()
    return f"{sys.version} {project.TOOLS} {PROGRAMS[name]} {hashlib.sha256(requirements).hexdigest()}\n"


def install(name: str) -> None:
    """Makes one environment anew."""
    stamp(name).unlink()
    place = project.TOOLS / name
    shutil.rmtree(place, ignore_errors=True)
    command([sys.executable, "-m", "venv", str(place)], f"python -m venv failed for {name}")
    pip = [str(place / "bin" / "python"), "-m", "pip", "--quiet", "--disable-pip-version-check", "install"]
    requirements = ["--no-compile", "--requirement", str(REQUIREMENTS / f"{name}.txt")]
    command([*pip, *requirements], f"pip could not install {name}")
    for program in PROGRAMS[name]:
        link(program, place / "bin" / program)
    for zig in place.glob("lib/*/site-packages/ziglang/zig"):
        link("zig", zig)
    stamp(name).write_text(wanted(name))
    project.say(f"installed {name}")


def link(name: str, program: Path) -> None:
    """Puts a program on the path of the tools."""
    project.BIN.mkdir(exist_ok=True)
    (project.BIN / name).unlink(missing_ok=True)
    (project.BIN / name).symlink_to(os.path.relpath(program, project.BIN))


def command(arguments: list[str], failed: str) -> None:
    """Runs a command, which is silent unless it fails."""
    done = subprocess.run(arguments, stdin=subprocess.DEVNULL, capture_output=True, text=True, check=False)
    if done.returncode:
        output = (done.stdout + done.stderr).strip()
        raise project.Failure(f"{failed}: {output.splitlines()[-1] if output else done.returncode}")


if __name__ == "__main__":
    project.run(main)
