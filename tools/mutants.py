"""Changes the pure crate in every small way that cargo-mutants knows, and tells which changes no test notices.

cargo-mutants builds the crate anew for each change, which takes hours. Here all of them are built at once, each behind
a switch that a variable of the environment turns, and the tests are run for one after the other. What cannot be built
so, cargo-mutants tries by itself: changes outside of functions or in such as are `const` or give an `impl` type, and
what does not compile.
"""

import collections
import concurrent.futures
import json
import os
import re
import selectors
import shutil
import subprocess
import time
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from typing import Any

import install
import project

PACKAGE = "macie-compliance-core"
CRATE = "macie_compliance_core"
LIBRARY = "crates/core/src/lib.rs"
TREE = project.target_directory() / "mutants" / "tree"

# The variable that turns a switch, and the function that asks for it.
VARIABLE = "CHANGE"
SWITCH = f"""
#[doc(hidden)]
pub fn is_changed(number: u32) -> bool {{
    static CHANGE: std::sync::OnceLock<Option<u32>> = std::sync::OnceLock::new();
    *CHANGE.get_or_init(|| std::env::var("{VARIABLE}").ok()?.parse().ok()) == Some(number)
}}
"""

# These take longer than all others together, so they are run where the others notice nothing.
SLOW = [
    "a_report_splits_into_valid_parts_that_hold_each_violation_once_and_in_order",
    "no_message_is_too_large_whatever_has_changed",
    "thousands_of_violations_and_of_targets_split_and_none_is_lost",
]
# A changed loop may never end, and a changed size may be any.
SECONDS, KILOBYTES = 120, 8 << 20

ENVIRONMENT = {
    **os.environ,
    "CARGO_TARGET_DIR": str(TREE.parent / "build"),
    # The tests take longer without any optimization than the compiler takes with some.
    "CARGO_PROFILE_DEV_OPT_LEVEL": "1",
    "CARGO_PROFILE_TEST_OPT_LEVEL": "1",
    "CARGO_PROFILE_DEV_DEBUG": "0",
    "CARGO_PROFILE_TEST_DEBUG": "0",
    # What is changed may leave things unused.
    "RUSTFLAGS": "--cap-lints allow",
    "INSTA_UPDATE": "no",
    # A sixteenth of the usual cases: changed code mostly fails at once.
    "PROPTEST_CASES": "64",
    "PROPTEST_DISABLE_FAILURE_PERSISTENCE": "1",
}

# A comment, a text, a character, a word, or any other character.
TOKEN = re.compile(r"""//[^\n]*|/\*.*?\*/|b?r(#*)".*?"\1|b?"(?:\\.|[^"\\])*"|'(?:\\[^']+|[^'\\])'|\w+|.""", re.DOTALL)


@dataclass(frozen=True)
class Change:
    """One of cargo-mutants' changes: what is put in place of a part of a function, or of its whole body."""

    number: int
    name: str
    file: str
    function: dict[str, Any] | None
    part: dict[str, Any]
    replacement: str
    is_whole: bool

    @property
    def has_place(self) -> bool:
        """Whether there is a function to put a switch into. One of an `impl` type gives one type, whatever it gives."""
        return self.function is not None and "impl " not in self.function["return_type"]


def main() -> None:
    """Tries every change, names those that are not noticed, and fails where there are some."""
    install.main("cargo-mutants")
    begun = time.monotonic()
    changes = listed()
    copy_tree()
    project.say(f"{len(changes)} changes; they are built together")
    programs, built = build([change for change in changes if change.has_place])
    check(programs)
    project.say(f"the tests are run for each of {len(built)} ({minutes(begun)})")
    survivors = not_noticed(programs, built)
    project.say(f"{len(survivors)} of {len(built)} are not noticed ({minutes(begun)})")
    for change in survivors:
        project.say(f"NOT NOTICED: {change.name}")
    others = [change.name for change in changes if change not in built]
    project.say(f"cargo-mutants tries the other {len(others)}")
    are_noticed = try_alone(others)
    project.say(f"all {len(changes)} tried ({minutes(begun)})")
    if survivors or not are_noticed:
        raise project.Failure("there are changes that no test notices")


def minutes(begun: float) -> str:
    """How long it has taken."""
    return f"{(time.monotonic() - begun) / 60:.1f} min"


def listed() -> list[Change]:
    """What cargo-mutants would change, without what .cargo/mutants.toml leaves out."""
    command = ["cargo", "mutants", "--package", PACKAGE, "--list", "--json"]
    found = json.loads(subprocess.run(command, cwd=project.ROOT, check=True, stdout=subprocess.PIPE).stdout)
    return [
        Change(number, one["name"], one["file"], one.get("function"), one["span"], one["replacement"], is_whole(one))
        for number, one in enumerate(found)
    ]


def is_whole(change: dict[str, Any]) -> bool:
    """Whether a change takes the place of the whole body of a function."""
    return change["genre"] == "FnValue"


def copy_tree() -> None:
    """Copies what is in the repository, as it is now. Each file keeps its time, so only what changed is built anew."""
    names = subprocess.run(["git", "ls-files", "-z"], cwd=project.ROOT, check=True, stdout=subprocess.PIPE, text=True)
    shutil.rmtree(TREE, ignore_errors=True)
    for name in filter(None, names.stdout.split("\0")):
        (TREE / name).parent.mkdir(parents=True, exist_ok=True)
        if (project.ROOT / name).exists():
            shutil.copy2(project.ROOT / name, TREE / name)


def build(changes: list[Change]) -> tuple[list[str], list[Change]]:
    """Builds the tests of all changes at once, without those that the compiler refuses, and gives what it took."""
    while True:
        owners = {}
        for file, of_file in by_file(changes).items():
            switches, owners[file] = switched((project.ROOT / file).read_text(), of_file, is_program="/bin/" in file)
            (TREE / file).write_text(switches + (SWITCH if file == LIBRARY else ""))
        if LIBRARY not in owners:
            (TREE / LIBRARY).write_text((project.ROOT / LIBRARY).read_text() + SWITCH)
        command = ["cargo", "test", "--locked", "--package", PACKAGE, "--lib", "--test", "*", "--no-run"]
        told = subprocess.run(
            [*command, "--message-format", "json"], cwd=TREE, env=ENVIRONMENT, capture_output=True, text=True
        )
        messages = [json.loads(line) for line in told.stdout.splitlines() if line.startswith("{")]
        if told.returncode == 0:
            tests = [one for one in messages if one["reason"] == "compiler-artifact" and one["profile"]["test"]]
            # Those of the library are the quicker ones.
            tests.sort(key=lambda one: one["target"]["kind"] != ["lib"])
            return [one["executable"] for one in tests], changes
        refused = {number for message in messages for number in blamed(message, owners)}
        if not refused:
            raise project.Failure(f"the changes do not build, and the compiler blames none of them:\n{told.stderr}")
        project.say(f"{len(refused)} do not compile behind a switch")
        changes = [change for change in changes if change.number not in refused]
        # A file without changes any more is as it was.
        for file in owners:
            shutil.copy2(project.ROOT / file, TREE / file)


def by_file(changes: Iterable[Change]) -> dict[str, list[Change]]:
    """The changes of each file."""
    files = collections.defaultdict(list)
    for change in changes:
        files[change.file].append(change)
    return files


def blamed(message: dict[str, Any], owners: dict[str, dict[int, int]]) -> list[int]:
    """The changes in whose lines the compiler found an error."""
    if message["reason"] != "compiler-message" or message["message"]["level"] != "error":
        return []
    spans = [span for span in message["message"]["spans"] if span["is_primary"]]
    numbers = [owners.get(span["file_name"], {}).get(span["line_start"]) for span in spans]
    return [number for number in numbers if number is not None]


def switched(text: str, changes: list[Change], is_program: bool) -> tuple[str, dict[int, int]]:
    """The text with every change behind its switch at the beginning of its function, and the change of each line."""
    crate = CRATE if is_program else "crate"
    blocks = collections.defaultdict(list)
    at = places(text)
    for change in changes:
        begin, end = (at(change.function["span"][edge]) for edge in ("start", "end"))
        opens = begin + opening(text[begin:end]) + 1
        body = change.replacement
        if not change.is_whole:
            start, stop = (at(change.part[edge]) for edge in ("start", "end"))
            body = text[opens:start] + body + text[stop : end - 1]
        block = f"\nif {crate}::is_changed({change.number}) {{ return {{ {body}\n}}; }}"
        blocks[opens].append((change.number, block))
    parts, owners, line, last = [], {}, 1, 0
    for opens in sorted(blocks):
        parts.append(text[last:opens])
        line += text.count("\n", last, opens)
        last = opens
        for number, block in blocks[opens]:
            lines = block.count("\n")
            owners.update(dict.fromkeys(range(line + 1, line + lines + 1), number))
            line += lines
            parts.append(block)
    return "".join([*parts, text[last:]]), owners


def places(text: str) -> Callable[[dict[str, int]], int]:
    """Finds a line and a column in a text, both of which are counted from 1."""
    starts = [0]
    for line in text.split("\n"):
        starts.append(starts[-1] + len(line) + 1)
    return lambda place: starts[place["line"] - 1] + place["column"] - 1


def opening(function: str) -> int:
    """Where the body of a function opens: at the first brace outside of parentheses and brackets."""
    depth = 0
    for token in TOKEN.finditer(function):
        if token[0] in "([":
            depth += 1
        elif token[0] in ")]":
            depth -= 1
        elif token[0] == "{" and depth == 0:
            return token.start()
    raise project.Failure(f"a function without a body: {function[:80]}")


def check(programs: list[str]) -> None:
    """Fails where the tests fail without any change: then they would notice all of them."""
    if notices(programs, number=-1, with_slow_ones=True):
        raise project.Failure("the tests fail without any change")


def not_noticed(programs: list[str], changes: list[Change]) -> list[Change]:
    """The changes with which every test succeeds, the slow ones too."""
    for with_slow_ones in (False, True):
        with concurrent.futures.ThreadPoolExecutor(os.cpu_count()) as threads:
            tried = [threads.submit(notices, programs, change.number, with_slow_ones) for change in changes]
            changes = [change for change, one in zip(changes, tried, strict=True) if not one.result()]
    return changes


def notices(programs: list[str], number: int, with_slow_ones: bool) -> bool:
    """Whether a test fails with this change, or does not end."""
    skipped = [] if with_slow_ones else [word for name in SLOW for word in ("--skip", name)]
    return any(fails([program, "--test-threads", "1", *skipped], number) for program in programs)


def fails(command: list[str], number: int) -> bool:
    """Whether a program of tests fails. It is ended at the first test that does."""
    limited = ["bash", "-c", f'ulimit -v {KILOBYTES}; exec "$0" "$@"', *command]
    environment = {**ENVIRONMENT, VARIABLE: str(number)}
    place = TREE / "crates" / "core"
    process = subprocess.Popen(
        limited, cwd=place, env=environment, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, bufsize=0
    )
    try:
        return has_failure(process) or process.wait() != 0
    finally:
        process.kill()
        process.wait()


def has_failure(process: subprocess.Popen) -> bool:
    """Whether what a program of tests prints tells of a failure, or does not end."""
    until = time.monotonic() + SECONDS
    told = b""
    with selectors.DefaultSelector() as selector:
        selector.register(process.stdout, selectors.EVENT_READ)
        while selector.select(max(0, until - time.monotonic())):
            chunk = process.stdout.read(1 << 16)
            if not chunk:
                return False
            told = told[-20:] + chunk
            if b" ... FAILED" in told:
                return True
    return True


def try_alone(names: list[str]) -> bool:
    """Has cargo-mutants try these, and gives whether each is noticed or does not compile."""
    if not names:
        return True
    exact = "^(" + "|".join(map(re.escape, names)) + ")$"
    jobs = ["--jobs", str(os.cpu_count())]
    command = ["cargo", "mutants", "--package", PACKAGE, *jobs, "--re", exact, "--output", TREE.parent]
    return subprocess.run(command, cwd=project.ROOT).returncode == 0


if __name__ == "__main__":
    project.run(main)
