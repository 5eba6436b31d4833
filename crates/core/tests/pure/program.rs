//! The programs of the crate, run by the tests of what they print.

use std::io::Write as _;
use std::process::{Command, Stdio};

/// What a program prints, what it complains of, and whether it is content.
pub(crate) fn run(path: &str, arguments: &[&str], input: &str) -> (String, String, bool) {
    let mut program = Command::new(path)
        .args(arguments)
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .expect("the program starts");
    // A program that takes no input may have ended by now.
    let _ = program.stdin.take().expect("its input").write_all(input.as_bytes());
    let output = program.wait_with_output().expect("the program ends");
    let text = |bytes| String::from_utf8(bytes).expect("UTF-8");
    (text(output.stdout), text(output.stderr), output.status.success())
}
