"""Tells which lines of the function the Rust tests reach, those over the wire included.

The tests kill the processes that they start, so counters are kept in files that the processes map into their memory,
and not written at their end. Arguments go to cargo-llvm-cov, such as `--html`.
"""

import os
import shutil
import subprocess
import sys

import install
import project

# The file of each process, mapped (%c), by its id (%p).
PROFILES = "macie-compliance-%p%c.profraw"
# llvm-cov reads what is older than itself. 19 is the first that reads what rustc of this project writes.
OLDEST, NEWEST = 19, 40


def main() -> None:
    """Runs the tests and prints the table."""
    install.main("cargo-llvm-cov")
    env = project.environment(
        LLVM_COV=program("LLVM_COV", "llvm-cov"),
        LLVM_PROFDATA=program("LLVM_PROFDATA", "llvm-profdata"),
        CARGO_LLVM_COV_SETUP="no",
        LLVM_PROFILE_FILE_NAME=PROFILES,
        RUSTFLAGS="-C llvm-args=-runtime-counter-relocation",
    )
    what = ["--workspace", "--exclude", "bench", "--locked", "--ignore-filename-regex", "/(tests|benches)/"]
    done = subprocess.run(["cargo", "llvm-cov", *what, *sys.argv[1:]], cwd=project.ROOT, env=env, check=False)
    if done.returncode:
        raise project.Failure("the tests failed, or their coverage could not be told")


def program(variable: str, name: str) -> str:
    """Where a program of LLVM is: as the variable says, with rustc, or on the path with its version."""
    if named := os.environ.get(variable):
        return named
    libraries = subprocess.run(["rustc", "--print", "target-libdir"], capture_output=True, text=True, check=True).stdout
    beside = os.path.join(os.path.dirname(libraries.strip()), "bin", name)
    if os.path.exists(beside):
        return beside
    for version in range(NEWEST, OLDEST - 1, -1):
        if found := shutil.which(f"{name}-{version}"):
            return found
    raise project.Failure(f"{name} {OLDEST} or later is needed: set {variable}, or install rustup's llvm-tools")


if __name__ == "__main__":
    project.run(main)
