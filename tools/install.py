"""Installs the pinned tools into .tools, once: each group of pyproject.toml into an environment of its own.

What takes long and not everybody needs is installed when it is named: `install.py [scans] [cargo-deny] …`.
"""

import ast
import fcntl
import hashlib
import os
import shutil
import subprocess
import sys
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import project

LOCK = project.ROOT / "uv.lock"
UV = project.TOOLS / "uv"
UV_REQUIREMENTS = project.ROOT / "tools" / "requirements" / "uv.txt"
# What is put on the path, by environment. The rest of an environment stays out of the way of other programs.
PROGRAMS = {
    "checks": ["actionlint", "cargo-lambda", "pytest", "ruff", "shellcheck", "zizmor"],
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
# uv reads none of pip's settings, and whoever has a mirror of PyPI has told pip.
SETTINGS = {
    "cert": "SSL_CERT_FILE",
    "extra-index-url": "UV_INDEX",
    "find-links": "UV_FIND_LINKS",
    "index-url": "UV_DEFAULT_INDEX",
    "proxy": "ALL_PROXY",
    "trusted-host": "UV_INSECURE_HOST",
}


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
        minutes = "minutes each" if any(name in CARGO_PROGRAMS for name in missing) else "less than a minute"
        project.say(f"installing {', '.join(missing)} into .tools (once; {minutes})")
        if any(name in PROGRAMS for name in missing):
            install_uv()
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
    locked = hashlib.sha256(LOCK.read_bytes() + UV_REQUIREMENTS.read_bytes()).hexdigest()
    return f"{sys.version} {project.TOOLS} {PROGRAMS[name]} {locked}\n"


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
    # What is saved by not optimizing them is more than what they then take longer.
    cargo = ["cargo", "install", "--quiet", "--debug", "--locked", "--root", str(place)]
    env = {**os.environ, "CARGO_PROFILE_DEV_DEBUG": "false"}
    command([*cargo, f"{name}@{CARGO_PROGRAMS[name]}"], f"cargo could not install {name}", env)
    link(name, place / "bin" / name)


def install_uv() -> None:
    """Installs uv by pip, which every Python brings along."""
    shutil.rmtree(UV, ignore_errors=True)
    command([sys.executable, "-m", "venv", str(UV)], "python -m venv failed")
    pip = [str(UV / "bin" / "python"), "-m", "pip", "--quiet", "--disable-pip-version-check", "install"]
    hashed = ["--require-hashes", "--only-binary", ":all:", "--requirement", str(UV_REQUIREMENTS)]
    command([*pip, *hashed], "pip could not install uv")


def make_environment(name: str) -> None:
    """Makes one environment of Python, from the group of that name in the lock."""
    place = project.TOOLS / name
    requirements = project.TOOLS / f"{name}.txt"
    env = uv_environment()
    uv = [str(UV / "bin" / "uv"), "--quiet"]
    # `uv sync` fetches from where the lock was made, and not from the mirror that somebody has to use.
    group = ["--frozen", "--only-group", name, "--no-emit-project", "--output-file", str(requirements)]
    command([*uv, "export", *group], f"uv could not export {name}", env)
    command([*uv, "venv", "--clear", "--python", sys.executable, str(place)], f"uv could not make {name}", env)
    hashed = ["--require-hashes", "--no-build", "--python", str(place), str(requirements)]
    command([*uv, "pip", "sync", *hashed], f"uv could not install {name}", env)
    for program in PROGRAMS[name]:
        link(program, place / "bin" / program)
    for zig in place.glob("lib/*/site-packages/ziglang/zig"):
        link("zig", zig)


def uv_environment() -> dict[str, str]:
    """The environment of uv: everything stays in .tools, and comes from where pip would fetch it."""
    env = {
        **os.environ,
        "UV_CACHE_DIR": str(project.TOOLS / "uv-cache"),
        "UV_PYTHON_DOWNLOADS": "never",
        "UV_SYSTEM_CERTS": "true",
    }
    pip = [str(UV / "bin" / "python"), "-m", "pip", "config", "list"]
    lines = subprocess.run(pip, capture_output=True, text=True, check=True).stdout.splitlines()
    given = dict(line.split("=", 1) for line in lines)
    # The later win, as they do for pip.
    for section in ("global", "install", ":env:"):
        for option, variable in SETTINGS.items():
            if value := given.get(f"{section}.{option}"):
                env[variable] = os.environ.get(variable) or " ".join(ast.literal_eval(value).split())
    return env


def link(name: str, program: Path) -> None:
    """Puts a program on the path of the tools."""
    project.BIN.mkdir(exist_ok=True)
    (project.BIN / name).unlink(missing_ok=True)
    (project.BIN / name).symlink_to(os.path.relpath(program, project.BIN))


def command(arguments: list[str], failed: str, env: dict[str, str] | None = None) -> None:
    """Runs a command, which is silent unless it fails."""
    done = subprocess.run(
        arguments, cwd=project.ROOT, env=env, stdin=subprocess.DEVNULL, capture_output=True, text=True, check=False
    )
    if done.returncode:
        output = " ".join((done.stdout + done.stderr).split())
        raise project.Failure(f"{failed}: {output[-500:] or done.returncode}")


if __name__ == "__main__":
    project.run(lambda: main(*sys.argv[1:]))
