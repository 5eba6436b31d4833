"""Changes the sources in small ways, one at a time, and fails when the tests do not notice.

`mutants.py pure` tries the pure modules and the following of tokens, in a package of their own, without the SDK of AWS,
the runtime and the simulator: a change is then built and tested in seconds, and the tests are those of the modules and
the ones that call nothing else. `mutants.py reading` tries the module that reads Macie, page by page, with the tests
over the wire. More arguments go to cargo-mutants, such as `--shard 1/8`.
"""

import json
import os
import shutil
import subprocess
import sys
import tomllib
from pathlib import Path

import install
import project

PURE = ["deadline", "event", "facts", "names", "report", "rules", "settings", "text"]
TESTS = ["edges", "golden", "messages", "properties", "schema"]
NEEDED = ["schemars", "serde", "serde_json", "sha2", "textwrap"]
NEEDED_BY_TESTS = ["insta", "jsonschema", "proptest"]
# A sixteenth of the usual cases, and without the test that takes longest: changed code mostly fails at once.
CASES = "64"
SLOW = "thousands_of_violations_and_of_targets_split_and_none_is_lost"

READING = "src/macie.rs"
# They mostly wait, hence more of them at a time than there are cores. The one left out waits for half a minute.
WIRE = ["paging", "rules", "failures", "logs", "deadline", "--skip", "failures_of_earlier_runs", "--test-threads", "8"]

# What cargo-mutants ends with when every change was noticed, and when some were by tests that did not end.
NOTICED = [0, 3]


def main() -> None:
    """Makes what is changed and runs cargo-mutants over it."""
    what, *arguments = sys.argv[1:]
    install.main("cargo-mutants")
    place = project.target_directory() / "mutants" / what
    sources = place / "package"
    shutil.rmtree(sources, ignore_errors=True)
    if what == "pure":
        write_package(sources)
        tests = ["--", "--skip", SLOW]
    else:
        copy_project(sources)
        arguments += ["--file", READING]
        tests = ["--test", "wire", "--", *WIRE]
    config = ["--config", str(project.ROOT / "tools" / "mutants.toml"), "--output", str(place)]
    options = ["--in-place", "--no-shuffle", "--colors", "never", "--timeout", "120", *config, *arguments]
    env = project.environment(
        CARGO_TARGET_DIR=str(place / "target"),
        INSTA_UPDATE="no",
        INSTA_WORKSPACE_ROOT=str(sources),
        PROPTEST_CASES=CASES,
    )
    command = ["cargo", "mutants", *options, "--", *tests]
    done = subprocess.run(command, cwd=sources, env=env, stdin=subprocess.DEVNULL, check=False)
    if done.returncode not in NOTICED:
        found = os.path.relpath(place / "mutants.out", project.ROOT)
        raise project.Failure(f"not every change was noticed, or the tests did not run: see {found}")


def copy_project(place: Path) -> None:
    """Copies the whole project as it is in the working tree.

    Here and below copies are new files with new times: by the old ones cargo would take what an earlier copy gave for
    up to date.
    """
    tracked = subprocess.run(["git", "ls-files", "-z"], cwd=project.ROOT, capture_output=True, text=True, check=True)
    for name in filter(None, tracked.stdout.split("\0")):
        (place / name).parent.mkdir(parents=True, exist_ok=True)
        shutil.copy(project.ROOT / name, place / name)


def write_package(package: Path) -> None:
    """Writes a package of the pure modules, with their tests."""
    for folder in ["src/aws", "tests", "schema"]:
        (package / folder).mkdir(parents=True)
    for name in PURE:
        copy("src", package, name if (project.ROOT / "src" / name).is_dir() else f"{name}.rs")
    copy("src/aws", package, "pages.rs")
    for name in [*(f"{test}.rs" for test in TESTS), "snapshots"]:
        copy("tests", package, name)
    for schema in (project.ROOT / "schema").iterdir():
        copy("schema", package, schema.name)
    for name in ["Cargo.lock", "README.md"]:
        copy(".", package, name)
    modules = "".join(f"pub mod {name};\n" for name in PURE)
    (package / "src" / "lib.rs").write_text(f"{modules}pub mod aws {{\n    pub mod pages;\n}}\n")
    (package / "Cargo.toml").write_text(manifest())


def copy(folder: str, package: Path, name: str) -> None:
    """Copies a file or a folder to the same place in the package."""
    source = project.ROOT / folder / name
    if source.is_dir():
        shutil.copytree(source, package / folder / name, copy_function=shutil.copy)
    else:
        shutil.copy(source, package / folder / name)


def manifest() -> str:
    """The manifest of the package: the dependencies that it needs, as the project's own names them."""
    project_manifest = tomllib.loads((project.ROOT / "Cargo.toml").read_text())
    shared = project_manifest["workspace"]["dependencies"]
    lines = ["[workspace]", "[package]", 'name = "macie-compliance"', 'version = "0.0.0"', 'edition = "2024"']
    for table, names in [("dependencies", NEEDED), ("dev-dependencies", NEEDED_BY_TESTS)]:
        for name in names:
            wanted = project_manifest[table][name]
            wanted = {"version": wanted} if isinstance(wanted, str) else dict(wanted)
            if wanted.pop("workspace", False):
                wanted = {**shared[name], **wanted} if isinstance(shared[name], dict) else {"version": shared[name]}
            lines += [f"[{table}.{name}]", *(f"{key} = {json.dumps(value)}" for key, value in wanted.items())]
    # The tests of a report of many parts take longer without any optimization than the compiler with some.
    lines += ["[profile.dev]", "debug = false", "opt-level = 1", ""]
    return "\n".join(lines)


if __name__ == "__main__":
    project.run(main)
