//! Checks an exemptions document as it is on a day and, where a report is named too, tells what it would exempt there.
//!
//! `exemptions --today YYYY-MM-DD DOCUMENT [REPORT]`. The report is JSON, as the function stores and publishes it. The
//! exit code is 1 where the document or an entry of it is malformed; an entry that is expired is no mistake.

use std::error::Error;
use std::io::{self, Write};
use std::process::ExitCode;
use std::{env, fs};

use macie_compliance_core::checks;
use macie_compliance_core::exemptions::{self, Document, Entry, Names, Standing};
use macie_compliance_core::report::v1::{self, Report, TargetResult};
use macie_compliance_core::report::{ExemptionsSource, Ledger};
use macie_compliance_core::text::plain;
use time::Date;

const USAGE: &str = "usage: exemptions --today YYYY-MM-DD DOCUMENT [REPORT]";

fn main() -> ExitCode {
    let arguments: Vec<String> = env::args().skip(1).collect();
    match run(&arguments, &mut io::stdout().lock()) {
        Ok(true) => ExitCode::SUCCESS,
        Ok(false) => ExitCode::FAILURE,
        Err(error) => {
            // Where nobody listens, the exit code still tells.
            let _ = writeln!(io::stderr(), "{error}");
            ExitCode::FAILURE
        }
    }
}

/// Tells what there is to tell, and gives whether every entry is sound.
fn run(arguments: &[String], out: &mut impl Write) -> Result<bool, Box<dyn Error>> {
    let (today, path, report) = match arguments {
        [flag, today, path, report @ ..] if flag == "--today" && report.len() < 2 => (today, path, report.first()),
        _ => return Err(USAGE.into()),
    };
    let today = exemptions::date(today).ok_or(USAGE)?;
    let bytes = fs::read(path).map_err(|error| format!("{path}: {error}"))?;
    let document = Document::parse(&bytes, today).map_err(|error| format!("{path}: {error}"))?;
    let is_sound = document.malformed.is_empty();
    tell(&document, today, out)?;
    if let Some(path) = report {
        let read = || -> Result<Report, Box<dyn Error>> {
            // What the report borrows from its JSON lives as long as the program.
            Ok(serde_json::from_str(fs::read_to_string(path)?.leak())?)
        };
        let report = read().map_err(|error| format!("{path}: {error}"))?;
        tell_of(report, path, document, out)?;
    }
    Ok(is_sound)
}

/// Tells how each entry of the document is.
fn tell(document: &Document, today: Date, out: &mut impl Write) -> io::Result<()> {
    let Document { digest, entries, malformed } = document;
    writeln!(
        out,
        "The document has {} and SHA-256 {digest}.",
        count(entries.len() + malformed.len(), "entry", "entries")
    )?;
    for exemptions::Malformed { entry, problem } in malformed {
        writeln!(out, "  {}: MALFORMED, {}", shown(entry), plain(problem, 400))?;
    }
    for Entry { id, expires, standing, .. } in entries {
        let standing = match standing {
            Standing::InForce => format!("in force until {expires}"),
            Standing::ExpiringSoon => match (*expires - today).whole_days() {
                0 => format!("in force until {expires}, EXPIRES TODAY"),
                days => format!("in force until {expires}, EXPIRES IN {}", count(days, "DAY", "DAYS")),
            },
            Standing::Expired => format!("EXPIRED, was in force until {expires}"),
        };
        writeln!(out, "  {}: {standing}", shown(id))?;
    }
    Ok(())
}

/// Tells what the document would exempt in a report.
fn tell_of(report: Report, path: &str, document: Document, out: &mut impl Write) -> io::Result<()> {
    let v1::Summary { violations, exempted, .. } = &report.summary;
    let in_summary = violations + exempted;
    let exempted = report.exempted.into_iter().map(|exempted| exempted.violation);
    let found: Vec<v1::Violation> = report.violations.into_iter().chain(exempted).collect();
    let is_whole = found.len() as u64 == in_summary;
    let elsewhere = elsewhere(&document, &report.targets);

    let mut ledger = Ledger::new(ExemptionsSource::Read { source: path.to_owned(), document });
    let covered: Vec<_> = found.iter().filter_map(|violation| Some((violation, ledger.cover(violation)?))).collect();
    let end = if covered.is_empty() { "." } else { ":" };
    writeln!(out, "\n{} of {} would be exempted{end}", covered.len(), count(found.len(), "violation", "violations"))?;
    for (violation, exemption) in covered {
        let v1::Violation { rule, target, resource, .. } = violation;
        let (account, region, resource) = (shown(&target.account_id), shown(&target.region), shown(&resource.id));
        writeln!(out, "  {rule} {account} {region} {resource} by {}", shown(&exemption.id))?;
    }
    if is_whole {
        for target in &report.targets {
            let in_force = |rule| report.summary.by_rule.contains_key(rule);
            ledger.saw(&target.target, &|rule| in_force(rule) && was_read_whole(target, rule));
        }
    } else {
        writeln!(out, "This is not the whole report, so entries that it does not need may be of use elsewhere.")?;
    }
    // The report does not say over which Regions it was to be: it is taken as it is.
    let account = ledger.finish(false).unwrap_or_default();
    list("These entries no longer hold, since the filter was changed", &account.changed, out)?;
    list("These entries cover nothing in this report", &account.unused, out)?;
    list("These entries name an account or a Region that is not in this report", &elsewhere, out)
}

/// The entries in force that name an account or a Region which is none of a report's targets.
fn elsewhere(document: &Document, targets: &[TargetResult]) -> Vec<String> {
    let lacks = |names: &Names, of: fn(&TargetResult) -> &str| match names {
        Names::Any => false,
        Names::These(names) => !names.iter().all(|name| targets.iter().any(|target| of(target) == name)),
    };
    let is_elsewhere = |entry: &&Entry| {
        lacks(&entry.accounts, |target| &target.target.account_id)
            || lacks(&entry.regions, |target| &target.target.region)
    };
    let in_force = document.entries.iter().filter(|entry| entry.is_in_force());
    in_force.filter(is_elsewhere).map(|entry| entry.id.clone()).collect()
}

fn list(title: &str, ids: &[String], out: &mut impl Write) -> io::Result<()> {
    if ids.is_empty() {
        return Ok(());
    }
    writeln!(out, "\n{title}:")?;
    ids.iter().try_for_each(|id| writeln!(out, "  {}", shown(id)))
}

/// Whether a report has everything that a rule needs of a target. Where Macie is off, its lists were not asked for.
fn was_read_whole(target: &TargetResult, rule: &str) -> bool {
    let needs = checks::all().filter(|check| check.id == rule).flat_map(|check| check.needs);
    let read = |api| target.reads.iter().any(|read| read.api == api || read.api.replaces() == Some(api));
    target.complete && needs.filter(|api| !api.is_second_look()).all(|api| read(*api))
}

fn count<N: PartialEq + From<u8> + std::fmt::Display>(number: N, one: &str, many: &str) -> String {
    format!("{number} {}", if number == N::from(1) { one } else { many })
}

/// A name, safe to show on one line.
fn shown(name: &str) -> String {
    plain(name, 128)
}
