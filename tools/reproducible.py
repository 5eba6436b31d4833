"""Builds the function twice, in two places and off the network, and compares the two binaries byte by byte.

The places differ in the path of the sources, of what is built and of cargo's home, so that nothing of these can be in
a binary. Both builds are in a network namespace without a network, so that no build script can fetch anything.
"""

import hashlib
import os
import shutil
import subprocess
import time
from pathlib import Path

import project

PLACES = ["one", "another/place"]
# What the paths of a place are called in the binary.
SOURCES, CRATES = "/build", "/crates"


def main() -> None:
    """Fails when the binaries differ."""
    project.need("cargo", "unshare")
    isolated = isolation()
    subprocess.run(["cargo", "fetch", "--locked"], cwd=project.ROOT, check=True)
    root = project.target_directory() / "reproducible"
    shutil.rmtree(root, ignore_errors=True)
    # Before the first build, so that whoever works on the sources meanwhile changes neither.
    for name in PLACES:
        project.copy_sources(root / name / "sources")
    digests: list[str] = []
    for name in PLACES:
        started = time.monotonic()
        binary = build(root / name, isolated)
        digests.append(hashlib.sha256(binary.read_bytes()).hexdigest())
        project.say(f"{digests[-1]}  {os.path.relpath(binary, project.ROOT)} ({time.monotonic() - started:.0f} s)")
    if len(set(digests)) > 1:
        raise project.Failure("the two builds differ")
    project.say("the two builds are equal, and neither had a network")


def isolation() -> list[str]:
    """The command that runs another without a network. It fails where the system does not let it."""
    command = ["unshare", "--net"] if os.geteuid() == 0 else ["unshare", "--map-root-user", "--net"]
    done = subprocess.run([*command, "cat", "/proc/net/route"], capture_output=True, text=True, check=False)
    if done.returncode:
        raise project.Failure(f"the network cannot be cut here: {done.stderr.strip()}")
    if len(done.stdout.splitlines()) > 1:
        raise project.Failure("`unshare --net` leaves a route to the network")
    return command


def build(place: Path, isolated: list[str]) -> Path:
    """Builds the function in a place of its own, and gives the binary."""
    sources, home, target = place / "sources", place / "cargo", place / "target"
    home.mkdir()
    for entry in cargo_home().iterdir():
        (home / entry.name).symlink_to(entry)
    # The last one that fits counts.
    renamed = [(place, SOURCES), (home / "registry" / "src", CRATES)]
    env = project.environment(
        CARGO_HOME=str(home),
        CARGO_TARGET_DIR=str(target),
        CARGO_ENCODED_RUSTFLAGS="\x1f".join(f"--remap-path-prefix={path}={name}" for path, name in renamed),
    )
    command = ["cargo", "build", "--release", "--locked", "--offline", "--quiet", "--bin", "macie-compliance"]
    done = subprocess.run([*isolated, *command], cwd=sources, env=env, stdin=subprocess.DEVNULL, check=False)
    if done.returncode:
        raise project.Failure("the build without a network failed, see above")
    binary = target / "release" / "macie-compliance"
    found = [path for path in (place, project.ROOT, cargo_home()) if os.fsencode(path) in binary.read_bytes()]
    if found:
        raise project.Failure(f"{binary} holds the path {found[0]}")
    return binary


def cargo_home() -> Path:
    """Where cargo keeps what it fetched."""
    return Path(os.environ.get("CARGO_HOME", Path.home() / ".cargo"))


if __name__ == "__main__":
    project.run(main)
