"""How all changes to the pure crate come into one build, and how a run of its tests is told to have noticed one."""

import sys
import time

import mutants
import pytest

TEXT = """use std::fmt;

/// Whether it is so.
pub fn is_so<'a>(text: &'a str, of: [u8; { 2 }]) -> bool where &'a str: Sized {
    // A brace } that is none.
    text == "{" && of[0] > b'}'
}
"""


def span(text: str, part: str) -> dict[str, dict[str, int]]:
    """Where a part of a text begins and ends."""
    begin = text.index(part)

    def place(at: int) -> dict[str, int]:
        return {"line": text.count("\n", 0, at) + 1, "column": at - text.rfind("\n", 0, at)}

    return {"start": place(begin), "end": place(begin + len(part))}


def change(number: int, part: str, replacement: str, is_whole: bool = False) -> mutants.Change:
    """A change to the function of the text."""
    whole = TEXT[TEXT.index("pub fn") : -1]
    function = {"return_type": "-> bool", "span": span(TEXT, whole)}
    return mutants.Change(number, f"change {number}", "f.rs", function, span(TEXT, part), replacement, is_whole)


def test_every_change_stands_behind_its_switch() -> None:
    """The function is as it was where no switch is turned, and every line of a change is known to be of it."""
    changes = [change(7, "==", "!="), change(8, "&&", "||"), change(9, TEXT[TEXT.index("pub fn") :], "true", True)]
    switches, owners = mutants.switched(TEXT, changes, is_program=False)
    head, tail = TEXT.split("Sized {", 1)
    assert switches.startswith(head + "Sized {\nif crate::is_changed(7)")
    assert switches.endswith(tail)
    lines = switches.split("\n")
    assert [line.strip() for line in lines if "text " in line] == [
        """text != "{" && of[0] > b'}'""",
        """text == "{" || of[0] > b'}'""",
        """text == "{" && of[0] > b'}'""",
    ]
    of_each = {number: [lines[line - 1] for line in owners if owners[line] == number] for number in (7, 8, 9)}
    assert "!=" in "".join(of_each[7])
    assert "||" in "".join(of_each[8])
    assert of_each[9] == ["if crate::is_changed(9) { return { true", "}; }"]
    assert sum(map(len, of_each.values())) == len(lines) - len(TEXT.split("\n"))


def test_a_program_asks_the_library() -> None:
    """A program is a crate of its own."""
    switches, _ = mutants.switched(TEXT, [change(1, "==", "!=")], is_program=True)
    assert f"if {mutants.CRATE}::is_changed(1)" in switches


def test_the_compilers_errors_are_of_the_change_in_whose_lines_they_are() -> None:
    """Errors elsewhere, and notes beside an error, are of none."""
    error = {"reason": "compiler-message", "message": {"level": "error", "spans": []}}
    spans = [("f.rs", 4, True), ("f.rs", 5, False), ("g.rs", 4, True)]
    error["message"]["spans"] = [
        {"file_name": file, "line_start": line, "is_primary": is_primary} for file, line, is_primary in spans
    ]
    owners = {"f.rs": {4: 1, 5: 2}}
    assert mutants.blamed(error, owners) == [1]
    error["message"]["level"] = "warning"
    assert mutants.blamed(error, owners) == []
    assert mutants.blamed({"reason": "build-finished"}, owners) == []


@pytest.mark.parametrize(
    ("program", "is_failure"),
    [
        ("print('test a ... ok')", False),
        ("raise SystemExit(101)", True),
        ("import time; print('test a ... FAILED', flush=True); time.sleep(60)", True),
        ("import time; time.sleep(60)", True),
    ],
)
def test_a_failure_an_exit_code_and_a_run_without_end_notice_a_change(
    program: str, is_failure: bool, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Nothing is waited for once it is known."""
    monkeypatch.setattr(mutants, "SECONDS", 2)
    monkeypatch.setattr(mutants, "TREE", mutants.project.ROOT)
    begun = time.monotonic()
    assert mutants.fails([sys.executable, "-c", program], 1) == is_failure
    assert time.monotonic() - begun < 20
