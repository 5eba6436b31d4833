//! The text for people: the mail and the one line of a short message.
//!
//! Most people will see nothing else of a run, many of them on a phone. So the verdict comes
//! first, then what to do, then why. Plain text, 72 columns.

use std::collections::{BTreeMap, BTreeSet};

use textwrap::Options;

use crate::api::{Api, Service};
use crate::failure::Failure;
use crate::names::Target;
use crate::refusal::{self, Refusal};
use crate::report::advice;
use crate::report::v1::{Part, ReadError, Report, TargetResult, Verdict, Violation};
use crate::resource::ResourceType;
use crate::text::{ascii, plain};

/// The width of every line.
const COLUMNS: usize = 72;

/// Violations shown one by one. The rest are in the JSON; a mail with thousands is not read.
const SHOWN: usize = 50;

/// Groups of failed reads shown one by one.
const FAILURES_SHOWN: usize = 20;

/// Digits of a violation's id that are shown.
const SHORT_ID: usize = 8;

/// The longest name shown.
const NAME: usize = 64;

/// The longest message of a service shown. A refusal names the policy that it comes from at its end.
const MESSAGE: usize = 1024;

/// The longest time shown, which has no more characters than this.
const LONGEST_TIME: usize = 32;

/// The scope of a report in a few words.
pub(super) fn scope(report: &Report) -> String {
    if let [target] = report.targets.as_slice() {
        return format!("{} {}", target.target.account_id, target.target.region);
    }
    let accounts: BTreeSet<&str> = report.targets.iter().map(|target| target.target.account_id.as_str()).collect();
    let regions: BTreeSet<&str> = report.targets.iter().map(|target| target.target.region.as_str()).collect();
    let account = match accounts.first() {
        Some(account) if accounts.len() == 1 => (*account).to_owned(),
        _ => count(accounts.len(), "account"),
    };
    format!("{account}, {}", count(regions.len(), "Region"))
}

/// Verdict, violations and scope in one line of printable ASCII: the subject and the short
/// message.
pub(super) fn headline(report: &Report, scope: &str, max: usize) -> String {
    let incomplete = if report.complete { "" } else { ", incomplete" };
    let violations = count(report.summary.violations, "violation");
    ascii(&format!("Macie {}: {violations}{incomplete}, {scope}", report.verdict.as_str()), max)
}

/// The short message of a part after the first, which has the verdict.
pub(super) fn short_note(report: &Report, scope: &str, max: usize) -> String {
    let Part { number, of } = report.part;
    ascii(&format!("Macie: part {number} of {of} of a report, see part 1 for the verdict, {scope}"), max)
}

/// The mail of the whole report, which comes in so many messages.
pub(super) fn text(report: &Report, messages: usize) -> String {
    let mut mail = Mail::default();
    verdict(&mut mail, report, messages);
    what_to_do(&mut mail, report);
    violations(&mut mail, &report.violations);
    not_read(&mut mail, &report.targets);
    counts(&mut mail, report);
    mail.0
}

/// The mail of a part after the first: a note, since the first says everything.
pub(super) fn part_note(report: &Report) -> String {
    let mut mail = Mail::default();
    let (number, of) = (report.part.number, report.part.of);
    mail.wrapped("", &format!("{}: part {number} of {of}", report.verdict.as_str()));
    mail.blank();
    mail.wrapped("", "The report is too large for one message. The mail of part 1 says what to do; this part's JSON holds more of the violations.");
    mail.blank();
    mail.wrapped("", &format!("Report {}", plain(&report.report_id, NAME)));
    mail.0
}

fn verdict(mail: &mut Mail, report: &Report, messages: usize) {
    mail.wrapped("", &format!("{}: Amazon Macie, {}", report.verdict.as_str(), scope(report)));
    mail.blank();
    let found = count(report.summary.violations, "violation");
    let unread = report.summary.targets_incomplete;
    let of = count(report.summary.targets, "target");
    mail.wrapped("", &match report.verdict {
        Verdict::InsufficientData if report.targets.is_empty() => {
            "This is not an all-clear. There was no account and Region in which anything could be read.".to_owned()
        }
        Verdict::Compliant if report.rules_disabled.is_empty() => {
            "Everything was read, and nothing breaks a rule.".to_owned()
        }
        Verdict::Compliant => "Everything that the enabled rules need was read, and nothing breaks one of them.".to_owned(),
        Verdict::NonCompliant if report.complete => format!("{found}. Everything was read."),
        Verdict::NonCompliant => format!("{found}, and there may be more: in {unread} of {of} not everything could be read."),
        Verdict::InsufficientData => format!(
            "This is not an all-clear. In {unread} of {of} not everything could be read; in what was read, nothing breaks a rule."
        ),
    });
    if !report.rules_disabled.is_empty() {
        let (off, all) = (report.rules_disabled.len(), report.rules_disabled.len() + report.summary.by_rule.len());
        let are = if off == 1 { "is" } else { "are" };
        mail.wrapped("", &format!("{off} of {all} rules {are} switched off: {}.", report.rules_disabled.join(", ")));
    }
    if !report.summary.regions_without_macie.is_empty() {
        let regions = report.summary.regions_without_macie.join(", ");
        mail.wrapped("", &format!("Macie is not offered in {regions}, so nothing was read there."));
    }
    if messages > 1 {
        mail.wrapped("", &format!("The report comes in {messages} messages; this is the first."));
    }
}

fn what_to_do(mail: &mut Mail, report: &Report) {
    mail.heading("WHAT TO DO");
    let mut steps = 0;
    for group in report.violations.chunk_by(are_alike) {
        steps += 1;
        let first = &group[0];
        mail.item(
            &format!("{steps}. "),
            &format!("{} ({}, {}). {}", first.title, group.len(), first.severity.as_str(), first.remediation),
        );
    }
    if !report.complete {
        steps += 1;
        mail.item(&format!("{steps}. "), "Fix what kept the rest from being read, as shown below, and run again.");
    }
    if steps == 0 {
        mail.wrapped("", "Nothing.");
    }
}

fn violations(mail: &mut Mail, violations: &[Violation]) {
    if violations.is_empty() {
        return;
    }
    mail.heading("VIOLATIONS");
    let shown = &violations[..violations.len().min(SHOWN)];
    for (index, group) in shown.chunk_by(are_alike).enumerate() {
        if index > 0 {
            mail.blank();
        }
        let first = &group[0];
        let total = violations.iter().filter(|violation| are_alike(first, violation)).count();
        mail.wrapped("", &format!("{} {} ({total})", first.severity.as_str(), first.rule));
        for place in group.chunk_by(|a, b| a.target == b.target) {
            let Target { account_id, region } = &place[0].target;
            mail.wrapped("", &format!("In {account_id} {region}"));
            mail.wrapped("", &console(&place[0]));
            for violation in place {
                mail.item("- ", &one(violation));
            }
        }
    }
    if violations.len() > shown.len() {
        mail.blank();
        mail.wrapped("", &format!("And {} more; the JSON report holds all of them.", violations.len() - shown.len()));
    }
}

/// Whether two violations stand under one heading: a rule can have violations of different severities.
fn are_alike(a: &Violation, b: &Violation) -> bool {
    a.rule == b.rule && a.severity == b.severity
}

/// One violation in a line or two.
fn one(violation: &Violation) -> String {
    let id = plain(&violation.resource.id, NAME);
    let mut text = match violation.resource.kind {
        ResourceType::Member => match &violation.resource.email {
            Some(email) => format!("account {id} ({})", plain(email, NAME)),
            None => format!("account {id}"),
        },
        ResourceType::Invitation => format!("from account {id}"),
        ResourceType::Administrator => format!("administrator account {id}"),
        ResourceType::Session => format!("account {id}"),
        ResourceType::FindingsFilter => match &violation.resource.name {
            Some(name) => format!("filter \"{}\" ({id})", plain(name, NAME)),
            None => format!("filter {id}"),
        },
    };
    if let Some(status) = &violation.status {
        text.push_str(&format!(", {}", plain(status, NAME)));
    }
    if let Some(since) = &violation.since {
        text.push_str(&format!(" since {}", plain(since, LONGEST_TIME).split('T').next().unwrap_or_default()));
    }
    if violation.confirmed == Some(false) {
        text.push_str(", not confirmed");
    }
    // Enough of the id to find it in the JSON report and in the log.
    let short: String = violation.id.chars().take(SHORT_ID).collect();
    format!("{text} #{short}")
}

/// The page of the Macie console that is about this. Findings filters are on that of the findings; no
/// other page has an address that could be relied on.
fn console(violation: &Violation) -> String {
    let page = if violation.resource.kind == ResourceType::FindingsFilter { "#findings" } else { "" };
    format!("https://console.aws.amazon.com/macie/home?region={}{page}", violation.target.region)
}

/// Reads that failed for the same reason, as one item of the mail tells them: operations, and the
/// accounts and Regions in all of which each of them failed.
struct Unread<'a> {
    apis: Vec<Api>,
    targets: Vec<Target>,
    error: &'a ReadError,
    refusal: Option<Refusal>,
}

/// Why reads failed, as far as it tells them apart: what a refusal means and the policy that it names,
/// whatever the resource and the action in its text, or code and message.
#[derive(PartialEq, Eq, PartialOrd, Ord)]
enum Reason<'a> {
    Refused(Service, Refusal, Option<&'a str>),
    Failed(Service, &'a str, String),
}

/// What a message says whatever it is about: without the words in which there are digits or an account's
/// own names, such as Regions, times and ids.
fn shape(message: &str) -> String {
    let is_general = |word: &&str| !word.bytes().any(|b| b.is_ascii_digit());
    message.split_whitespace().filter(is_general).collect::<Vec<_>>().join(" ")
}

/// The policy that a denial names, which comes last in its text.
fn policy(message: &str) -> Option<&str> {
    let last = message.split_whitespace().next_back()?;
    last.starts_with("arn:").then_some(last).filter(|arn| arn.contains("policy"))
}

/// What could not be read, grouped by the reason, then by the operations, then by the Regions.
fn unread(targets: &[TargetResult]) -> Vec<Unread<'_>> {
    let mut reasons: BTreeMap<Reason<'_>, (&ReadError, BTreeMap<&Target, BTreeSet<Api>>)> = BTreeMap::new();
    for target in targets {
        for read in &target.reads {
            let Some(error) = read.error.as_deref() else { continue };
            let service = read.api.row().service;
            let reason = match refusal::classify(&error.code, &error.message) {
                // Asked of other operations than GetMember, it says nothing about members.
                None | Some(Refusal::NoSuchMember) => Reason::Failed(service, &error.code, shape(&error.message)),
                Some(refusal) => Reason::Refused(service, refusal, policy(&error.message)),
            };
            let (_, places) = reasons.entry(reason).or_insert_with(|| (error, BTreeMap::new()));
            places.entry(&target.target).or_default().insert(read.api);
        }
    }
    let mut groups = Vec::new();
    for (reason, (error, places)) in reasons {
        let refusal = match reason {
            Reason::Refused(_, refusal, _) => Some(refusal),
            Reason::Failed(..) => None,
        };
        let mut regions_of: BTreeMap<(BTreeSet<Api>, &str), BTreeSet<&str>> = BTreeMap::new();
        for (target, apis) in places {
            regions_of.entry((apis, &target.account_id)).or_default().insert(&target.region);
        }
        let mut items: BTreeMap<(BTreeSet<Api>, BTreeSet<&str>), Vec<&str>> = BTreeMap::new();
        for ((apis, account), regions) in regions_of {
            items.entry((apis, regions)).or_default().push(account);
        }
        for ((apis, regions), accounts) in items {
            let target =
                |account: &str, region: &&str| Target { account_id: account.to_owned(), region: (*region).to_owned() };
            let targets = accounts.iter().flat_map(|account| regions.iter().map(move |region| target(account, region)));
            groups.push(Unread {
                apis: apis.into_iter().collect(),
                targets: targets.collect(),
                error,
                refusal: refusal.clone(),
            });
        }
    }
    groups
}

fn not_read(mail: &mut Mail, targets: &[TargetResult]) {
    let groups = unread(targets);
    if groups.is_empty() {
        return;
    }
    mail.heading("COULD NOT BE READ");
    for Unread { apis, targets, error, refusal } in groups.iter().take(FAILURES_SHOWN) {
        let names: Vec<&str> = apis.iter().map(|api| api.operation()).collect();
        let place = format!("{} in {}, {}", names.join(", "), advice::accounts(targets), advice::regions(targets));
        let (code, message) = (plain(&error.code, NAME), plain(&error.message, MESSAGE));
        match refusal {
            Some(refusal) => mail.item("- ", &format!("{place}: {} ({code})", advice::cause(refusal))),
            None if message.is_empty() => mail.item("- ", &format!("{place}: {code}")),
            None => mail.item("- ", &format!("{place}: {code} ({message})")),
        }
        let failure = Failure { code: error.code.clone(), message: error.message.clone(), request_id: None };
        if let Some(hint) = advice::hint(apis, &failure, targets) {
            mail.wrapped("  ", &format!("Fix: {}.", plain(&hint, usize::MAX)));
        }
        if refusal.is_some() && !message.is_empty() {
            mail.wrapped("  ", &format!("AWS says: {message}"));
        }
    }
    if groups.len() > FAILURES_SHOWN {
        mail.wrapped("", &format!("And {} more; the JSON report holds all of them.", groups.len() - FAILURES_SHOWN));
    }
}

fn counts(mail: &mut Mail, report: &Report) {
    let summary = &report.summary;
    mail.heading("COUNTS");
    mail.wrapped("", &format!("Targets: {}, incomplete: {}", summary.targets, summary.targets_incomplete));
    let mut listed = |what: &str, number: Option<u64>| {
        let number =
            number.map_or_else(|| "not read, since their rules are switched off".to_owned(), |n| n.to_string());
        mail.wrapped("", &format!("{what}: {number}"));
    };
    listed("Invitations", summary.invitations);
    listed("Findings filters", summary.filters);
    listed("Members", summary.members);
    for (status, members) in summary.members_by_status.iter().flatten() {
        mail.item("  ", &format!("{}: {members}", plain(status, NAME)));
    }
    mail.blank();
    mail.wrapped("", &format!("Report {}", plain(&report.report_id, NAME)));
    mail.wrapped("", &format!("made {}, started by {}", report.generated_at, plain(&report.trigger.source, NAME)));
}

fn count(number: impl TryInto<u64>, noun: &str) -> String {
    let number = number.try_into().unwrap_or(u64::MAX);
    if number == 1 { format!("1 {noun}") } else { format!("{number} {noun}s") }
}

/// A text that is written line by line.
#[derive(Default)]
struct Mail(String);

impl Mail {
    fn blank(&mut self) {
        self.0.push('\n');
    }

    fn heading(&mut self, text: &str) {
        self.blank();
        self.wrapped("", text);
    }

    /// A paragraph, every line of it indented.
    fn wrapped(&mut self, indent: &str, text: &str) {
        self.fill(Options::new(COLUMNS).initial_indent(indent).subsequent_indent(indent), text);
    }

    /// An item of a list: a mark, and the lines after the first below the text.
    fn item(&mut self, mark: &str, text: &str) {
        let below = " ".repeat(mark.len());
        self.fill(Options::new(COLUMNS).initial_indent(mark).subsequent_indent(&below), text);
    }

    fn fill(&mut self, options: Options<'_>, text: &str) {
        // Every text of a mail goes through here, so nothing unsafe can be missed.
        let text = plain(text, usize::MAX);
        self.0.push_str(&textwrap::fill(&text, options.word_splitter(textwrap::WordSplitter::NoHyphenation)));
        self.0.push('\n');
    }
}
