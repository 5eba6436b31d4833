//! Prints the page of a report that it reads as JSON: `page [--history FILE] --today DATE < report.json > page.html`.

use std::error::Error;
use std::io::{self, Write};
use std::{env, fs};

use macie_compliance_core::exemptions;
use macie_compliance_core::history::History;
use macie_compliance_core::render::page;
use macie_compliance_core::report::v1::Report;

fn main() -> Result<(), Box<dyn Error>> {
    let (mut history, mut today) = (History::default(), None);
    let mut arguments = env::args().skip(1);
    while let Some(option) = arguments.next() {
        let value = arguments.next().ok_or_else(|| format!("{option} needs a value"))?;
        match option.as_str() {
            "--history" => history = History::parse(&fs::read(&value)?)?,
            "--today" => today = exemptions::date(&value),
            _ => return Err(format!("{option} is not known: expected --history FILE or --today DATE").into()),
        }
    }
    let today = today.ok_or("--today YYYY-MM-DD is needed")?;
    // What the report borrows from its JSON lives as long as the program.
    let json: &'static str = io::read_to_string(io::stdin())?.leak();
    let report: Report = serde_json::from_str(json)?;
    io::stdout().write_all(page(&report, &history, today).as_bytes())?;
    Ok(())
}
