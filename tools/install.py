"""Installs the pinned tools into .tools, once: tools/requirements has a file for each environment.

Their requirements contradict each other, hence more than one environment. What takes long and not everybody needs is
installed when it is named: `install.py [scans] [cargo-deny] …`.
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
    "scans": ["checkov"],
}
# Built from their sources by cargo, in minutes.
CARGO_PROGRAMS = {
    "cargo-cyclonedx": "0.5.9",
    "cargo-deny": "0.20.2",
    "cargo-llvm-cov": "0.9.1",
    "cargo-mutants": "27.1.0",
}
ALWAYS = ["checks", "emulator", "sam"]


def main(*more: str) -> None:
    """Installs what is missing or has changed."""
    if sys.version_info < (3, 11):  # noqa: UP036
        raise project.Failure(f"Python 3.11 or later is needed, and this is {sys.version.split()[0]}")
    project.TOOLS.mkdir(exist_ok=True)
    # Two at a time would undo each other's work.
    with (project.TOOLS / "lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        missing = [name for name in [*ALWAYS, *more] if wanted(name) != stamp(name).read_text()]
        if not missing:
            return
        minutes = "minutes each" if any(name in CARGO_PROGRAMS for name in missing) else "about a minute"
        project.say(f"installing {', '.join(missing)} into .tools (once; {minutes})")
        with ThreadPoolExecutor() as pool:
            list(pool.map(install, missing))


def stamp(name: str) -> Path:
    """The file that tells what was installed."""
    path = project.TOOLS / f"{name}.stamp"
    path.touch()
    return path


def wanted(name: str) -> str:
    """What the stamp holds when everything is as it should be."""
    if name in CARGO_PROGRAMS:
        return f"{project.TOOLS} {name} {CARGO_PROGRAMS[name]}\n"
    if name not in PROGRAMS:
        raise project.Failure(f"there is no {name} among the pinned tools")
    requirements = (REQUIREMENTS / f"{name}.txt").read_bytes()
    return f"{sys.version} {project.TOOLS} {PROGRAMS[name]} {hashlib.sha256(requirements).hexdigest()}\n"


def install(name: str) -> None:
    """Installs one of them anew."""
    stamp(name).unlink()
    if name in CARGO_PROGRAMS:
        build(name)
    else:
        make_environment(name)
    stamp(name).write_text(wanted(name))
    project.say(f"installed {name}")


def build(name: str) -> None:
    """Builds a program from crates.io, with the dependencies that it was released with."""
    project.need("cargo")
    place = project.TOOLS / "cargo"
    cargo = ["cargo", "install", "--quiet", "--locked", "--root", str(place), f"{name}@{CARGO_PROGRAMS[name]}"]
    command(cargo, f"cargo could not install {name}")
    link(name, place / "bin" / name)


def make_environment(name: str) -> None:
    """Makes one environment of Python."""
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
    project.run(lambda: main(*sys.argv[1:]))
