//! What goes to the log: one JSON object a line, unless Lambda is told to log text.
//!
//! No line holds a raw answer or an unsafe character, and none an e-mail address, but for a whole report that
//! could not be published where `INCLUDE_EMAILS` asks for addresses. The verdict and the violations are logged
//! before anything is published, so that a publish that fails hides nothing.

use std::io;

use tracing::level_filters::LevelFilter;
use tracing::{Level, enabled, error, info, warn};
use tracing_subscriber::filter::Targets;
use tracing_subscriber::layer::SubscriberExt;
use tracing_subscriber::util::SubscriberInitExt;

use macie_compliance_core::failure::Failure;
use macie_compliance_core::names::Target;
use macie_compliance_core::render::Messages;
use macie_compliance_core::report::v1::{Change, Report, Verdict};
use macie_compliance_core::text::{json, plain};

/// The longest id, name or status in a line.
const SHORT: usize = 256;

/// The longest message of a service in a line. A refusal names the policy that it comes from at its
/// end.
const MESSAGE: usize = 1024;

/// Starts logging, in the format and from the level that Lambda's `AWS_LAMBDA_LOG_FORMAT` and
/// `AWS_LAMBDA_LOG_LEVEL` say: by default JSON, from `INFO`.
pub fn init(lookup: impl Fn(&str) -> Option<String>) {
    let level = match lookup("AWS_LAMBDA_LOG_LEVEL").unwrap_or_default().to_ascii_uppercase().as_str() {
        // At TRACE the SDK writes raw answers, e-mail addresses among them. Nothing else is lost.
        "TRACE" | "DEBUG" => LevelFilter::DEBUG,
        "WARN" => LevelFilter::WARN,
        "ERROR" | "FATAL" => LevelFilter::ERROR,
        _ => LevelFilter::INFO,
    };
    // The SDK's provider of a role's credentials writes down what STS said, as it was said. Why a role
    // could not be assumed is told with the read that failed.
    let sources = Targets::new().with_default(level).with_target("aws_config::sts", LevelFilter::OFF);
    // A line that cannot be written is lost. To tell of that on the same standard error would panic.
    let lines = tracing_subscriber::fmt()
        .with_max_level(level)
        .with_target(false)
        .with_ansi(false)
        .with_writer(io::stderr)
        .log_internal_errors(false);
    if lookup("AWS_LAMBDA_LOG_FORMAT").is_some_and(|format| format.eq_ignore_ascii_case("text")) {
        lines.without_time().finish().with(sources).init();
    } else {
        lines.json().flatten_event(true).with_span_list(false).finish().with(sources).init();
    }
}

/// Logs the verdict, every violation and every read that failed.
pub(crate) fn report(report: &Report) {
    let report_id = plain(&report.report_id, SHORT);
    let (verdict, complete, summary) = (report.verdict.as_str(), report.complete, json(&report.summary));
    let (targets, violations) = (report.summary.targets, report.summary.violations);
    if report.verdict == Verdict::Compliant {
        info!(reportId = report_id, verdict, complete, targets, violations, summary, "report");
    } else {
        warn!(reportId = report_id, verdict, complete, targets, violations, summary, "report");
    }
    for violation in &report.violations {
        let or_none = |text: &Option<String>| text.as_deref().map(|text| plain(text, SHORT));
        warn!(
            id = violation.id,
            rule = violation.rule,
            severity = violation.severity.as_str(),
            accountId = violation.target.account_id,
            region = violation.target.region,
            resourceType = violation.resource.kind.as_str(),
            resourceId = plain(&violation.resource.id, SHORT),
            name = or_none(&violation.resource.name),
            status = or_none(&violation.status),
            since = violation.since,
            confirmed = violation.confirmed,
            firstSeen = violation.first_seen,
            change = violation.change.map(Change::as_str),
            "violation"
        );
    }
    for target in &report.targets {
        for read in &target.reads {
            let Some(failure) = &read.error else { continue };
            warn!(
                accountId = target.target.account_id,
                region = target.target.region,
                api = read.api.operation(),
                pages = read.pages,
                items = read.items,
                code = plain(&failure.code, SHORT),
                error = plain(&failure.message, MESSAGE),
                requestId = failure.request_id.as_deref().map(|id| plain(id, SHORT)),
                hint = failure.hint,
                "read failed"
            );
        }
    }
}

/// Logs what the audit of one target of a divided run came to. What it found is logged once, with the
/// report of all.
pub(crate) fn audited(target: &Target, verdict: Verdict, complete: bool) {
    info!(accountId = target.account_id, region = target.region, verdict = verdict.as_str(), complete, "audited");
}

/// Logs that a report was delivered, or was not to be, since there was nothing to say. An alarm counts
/// these lines, so they are written whatever the level.
pub(crate) fn concluded(report: &Report, is_partial: bool) {
    let report_id = plain(&report.report_id, SHORT);
    let scope = if is_partial { "part" } else { "settings" };
    if enabled!(Level::INFO) {
        info!(reportId = report_id, scope, "concluded");
    } else if enabled!(Level::WARN) {
        warn!(reportId = report_id, scope, "concluded");
    } else {
        error!(reportId = report_id, scope, "concluded");
    }
}

/// Logs that every message of a report was published.
pub(crate) fn published(report: &Report, message_ids: &[String]) {
    info!(reportId = plain(&report.report_id, SHORT), messageIds = json(message_ids), "published");
}

/// Logs that something could not be kept in the evidence bucket.
pub(crate) fn not_stored(key: &str, failure: &Failure) {
    let (code, problem) = (plain(&failure.code, SHORT), plain(&failure.message, MESSAGE));
    error!(key = plain(key, MESSAGE), code, error = problem, "evidence not stored");
}

/// Logs that what the last run found in a target is not known, so that nothing there is resolved.
pub(crate) fn state_not_read(target: &Target, failure: &Failure) {
    let (code, problem) = (plain(&failure.code, SHORT), plain(&failure.message, MESSAGE));
    error!(accountId = target.account_id, region = target.region, code, error = problem, "state not read");
}

/// Logs that the last runs in a few numbers are not known, so that the page shows this run only.
pub(crate) fn history_not_read(failure: &Failure) {
    let (code, problem) = (plain(&failure.code, SHORT), plain(&failure.message, MESSAGE));
    error!(code, error = problem, "history not read");
}

/// Logs that nothing is exempted, since the document could not be read.
pub(crate) fn exemptions_not_read(source: &str, problem: &str) {
    error!(source = plain(source, MESSAGE), error = plain(problem, MESSAGE), "exemptions not read");
}

/// Logs the whole report, since not all of it could be published: one line for each part, whose
/// `report` is the JSON that SNS did not take or of which the rest is missing.
pub(crate) fn unpublished(report: &Report, messages: &Messages<'_>, published: usize) {
    for (index, message) in messages.iter().enumerate() {
        error!(
            reportId = plain(&report.report_id, SHORT),
            part = index + 1,
            parts = messages.count(),
            published = index < published,
            report = message.report(),
            "report not published"
        );
    }
}
