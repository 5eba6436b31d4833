//! Prints the mail of a report that it reads as JSON: the subject and the text, as SNS would send them.

use std::error::Error;
use std::io::{self, Write};

use macie_compliance_core::render::Messages;
use macie_compliance_core::report::v1::Report;
use serde_json::Value;

fn main() -> Result<(), Box<dyn Error>> {
    // What the report borrows from its JSON lives as long as the program.
    let json: &'static str = io::read_to_string(io::stdin())?.leak();
    let report: Report = serde_json::from_str(json)?;
    let first = Messages::of(&report, usize::MAX).get(0).ok_or("a report has a first message")?;
    let body: Value = serde_json::from_str(&first.body)?;
    let text = body["email"].as_str().ok_or("a message has a mail")?;
    write!(io::stdout(), "Subject: {}\n\n{text}", first.subject)?;
    Ok(())
}
