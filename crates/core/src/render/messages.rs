//! The report as SNS messages: in as few parts as fit, each with its texts for people.

use std::borrow::Cow;
use std::ops::Range;

use serde::Serialize;

use super::mail::{self, Delivery};
use super::sent;
use super::weight::Weight;
use crate::names::fingerprint;
use crate::report::v1::{Part, Report, TargetResult, Truncated, Verdict};
use crate::text::{ascii, json};

/// The largest message that SNS takes, and the largest that it hands to a queue or a function, in
/// bytes.
pub const LIMIT: usize = 262_144;

/// Room for what SNS adds when it hands a message to a subscriber without raw delivery: the names of
/// the fields, ids, ARNs, time, signature and addresses, and what Lambda adds to that. The longest
/// topic and subscription ARNs and a signature of 4,096 bits come to less than 2,500 bytes.
const ENVELOPE: usize = 3_072;

/// Room in the envelope for the fields around an attribute's name and value.
const ENVELOPE_ATTRIBUTE: usize = 40;

/// The longest subject that SNS takes, in characters.
const SUBJECT: usize = 99;

/// The longest short message, so that it is sent as one.
const SMS: usize = 140;

/// The part number that room is kept for while the parts are not counted yet.
const WIDEST: Part = Part { number: 999_999, of: 999_999 };

/// The most that a message has of what is exempted, resolved and unknown, and of ids of exemptions.
const LISTED: usize = 100;

/// One SNS message.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Message {
    /// Verdict, number of violations and scope.
    pub subject: String,
    /// The JSON object of `MessageStructure=json`: a text for each protocol.
    pub body: String,
    /// For subscription filters. They are a convenience: nothing is said in them alone.
    pub attributes: Vec<Attribute>,
    /// For FIFO topics: the same for the same message, byte by byte, and for no other. What a retried
    /// invocation read anew is another message, which the topic must not drop.
    pub deduplication_id: String,
    size: usize,
}

/// A message attribute.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Attribute {
    /// Its name.
    pub name: &'static str,
    /// `String` or `Number`.
    pub data_type: &'static str,
    /// Its value, never empty.
    pub value: String,
}

impl Message {
    /// The JSON report that the message holds.
    pub fn report(&self) -> String {
        let body: serde_json::Value = serde_json::from_str(&self.body).unwrap_or_default();
        body["default"].as_str().unwrap_or_default().to_owned()
    }

    /// The size in bytes: as SNS counts what is published (the subject added to be on the safe
    /// side), or of the envelope in which it hands the report to a subscriber without raw delivery,
    /// whichever is larger.
    pub fn size(&self) -> usize {
        self.size
    }
}

/// What `MessageStructure=json` takes.
#[derive(Serialize)]
struct Body<'a> {
    default: &'a str,
    email: &'a str,
    sms: &'a str,
}

/// The messages of a report: one, or where that would be too large, numbered parts that together
/// hold every violation once, or one that points to the stored report. Each is written when it is asked for, so that
/// only one is held.
#[derive(Debug)]
pub struct Messages<'a> {
    report: &'a Report,
    scope: String,
    /// The targets, in the order in which messages tell of them.
    targets: Vec<&'a TargetResult>,
    truncated: Option<Truncated>,
    parts: Vec<Slice>,
}

/// What a part has of the report's lists.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
struct Slice {
    targets: Range<usize>,
    violations: Range<usize>,
    /// The most of what is exempted, resolved and unknown.
    listed: usize,
    /// The most ids in each list of exemptions.
    ids: usize,
}

impl<'a> Messages<'a> {
    /// Divides a report into as few messages as fit. If they are more than `max_parts` and the whole report is stored,
    /// there is one that points to it.
    pub fn of(report: &'a Report, max_parts: usize) -> Messages<'a> {
        let mut messages = Messages {
            report,
            scope: mail::scope(report),
            targets: report.targets.iter().collect(),
            truncated: report.truncated,
            parts: vec![Slice {
                targets: 0..report.targets.len(),
                violations: 0..report.violations.len(),
                ..Slice::first(LISTED)
            }],
        };
        let weights = Weights {
            targets: report.targets.iter().map(|target| Weight::of_item(&sent::target(target))).collect(),
            violations: report
                .violations
                .iter()
                .map(|violation| Weight::of_item(&sent::violation(violation)))
                .collect(),
        };
        if weights.are_beyond_limit() || messages.get(0).is_none_or(|whole| whole.size() > LIMIT) {
            messages.parts = messages.split(&weights);
            if messages.parts.len() > max_parts && report.stored().is_some() {
                messages.truncate();
            }
        }
        messages
    }

    /// How many there are, at least one.
    pub fn count(&self) -> usize {
        self.parts.len()
    }

    /// The message at this place, from 0.
    pub fn get(&self, index: usize) -> Option<Message> {
        let slice = self.parts.get(index)?;
        let part = Part { number: index + 1, of: self.parts.len() };
        let first = (index == 0).then(|| self.mail(part.of));
        Some(self.message(&self.part(slice, part), first.as_deref()))
    }

    /// Every message, in order.
    pub fn iter(&self) -> impl Iterator<Item = Message> {
        (0..self.count()).filter_map(|index| self.get(index))
    }

    /// The mail of the whole report.
    fn mail(&self, of: usize) -> String {
        let delivery = if self.truncated.is_some() { Delivery::Truncated } else { Delivery::Messages(of) };
        mail::text(self.report, delivery)
    }

    /// A part as a report of its own.
    fn part(&self, slice: &Slice, part: Part) -> Report {
        let report = self.report;
        let targets = &self.targets[slice.targets.clone()];
        let violations = &report.violations[slice.violations.clone()];
        Report {
            schema_version: report.schema_version,
            report_id: report.report_id.clone(),
            generated_at: report.generated_at.clone(),
            trigger: report.trigger.clone(),
            verdict: report.verdict,
            complete: report.complete,
            fail_on: report.fail_on,
            rules_disabled: report.rules_disabled.clone(),
            summary: report.summary.clone(),
            targets: targets.iter().map(|target| sent::target(target)).collect(),
            violations: violations.iter().map(|violation| sent::violation(violation).into_owned()).collect(),
            exempted: report.exempted.iter().take(slice.listed).map(sent::exempted).collect(),
            exemptions: report.exemptions.as_ref().map(|exemptions| sent::exemptions(exemptions, slice.ids)),
            changes: report.changes.as_ref().map(|changes| sent::changes(changes, slice.listed)),
            evidence: report.evidence.clone(),
            truncated: self.truncated,
            part,
        }
    }

    /// The message of a part. The first has the mail of the whole report, the others have notes.
    fn message(&self, part: &Report, mail: Option<&str>) -> Message {
        let Part { number, of } = part.part;
        let suffix = if of > 1 { format!(" (part {number} of {of})") } else { String::new() };
        let headline = mail::headline(self.report, &self.scope, SUBJECT - suffix.len());
        let worst = part.summary.by_severity.iter().find(|(_, violations)| **violations > 0);
        let attribute = |name, data_type, value| Attribute { name, data_type, value };
        let attributes = vec![
            attribute("verdict", "String", part.verdict.as_str().to_owned()),
            attribute("complete", "String", part.complete.to_string()),
            attribute("maxSeverity", "String", worst.map_or("NONE", |(severity, _)| severity.as_str()).to_owned()),
            attribute("violations", "Number", part.summary.violations.to_string()),
            attribute("reportId", "String", ascii(&part.report_id, 256)),
            attribute("part", "Number", number.to_string()),
            attribute("parts", "Number", of.to_string()),
        ];
        let report = json(part);
        let (mail, sms) = match mail {
            Some(mail) => (Cow::Borrowed(mail), mail::headline(self.report, &self.scope, SMS)),
            None => (Cow::Owned(mail::part_note(part)), mail::short_note(part, &self.scope, SMS)),
        };
        let body = Body { default: &report, email: &mail, sms: &sms };
        // Each of the three texts is safe to show already, and only has to become a string.
        let body = serde_json::to_string(&body).expect("three strings");
        let subject = format!("{headline}{suffix}");
        let (mut published, mut enveloped) = (subject.len() + body.len(), ENVELOPE + subject.len());
        enveloped += Weight::of_text(&report).enveloped;
        for Attribute { name, data_type, value } in &attributes {
            published += name.len() + data_type.len() + value.len();
            enveloped += ENVELOPE_ATTRIBUTE + name.len() + data_type.len() + Weight::of_text(value).enveloped;
        }
        let deduplication_id = fingerprint(&[&part.report_id, &number.to_string(), &subject, &body]);
        Message { subject, body, attributes, deduplication_id, size: published.max(enveloped) }
    }

    /// A part without targets and violations, or with these targets, to see what room it leaves.
    fn bare(&self, slice: &Slice, mail: Option<&str>) -> usize {
        self.message(&self.part(slice, WIDEST), mail).size()
    }

    /// How much of the fixed lists fits, so that this room is left beside them in the first part, and half of every
    /// other part.
    fn listed(&self, mail: &str, room: usize) -> usize {
        let fits = |listed: &usize| {
            self.bare(&Slice::first(*listed), Some(mail)) + room <= LIMIT
                && self.bare(&Slice::later(*listed), None) <= LIMIT / 2
        };
        if fits(&LISTED) {
            return LISTED;
        }
        let lengths: Vec<usize> = (0..LISTED).collect();
        lengths.partition_point(fits).saturating_sub(1)
    }

    /// Fills one part after the other.
    fn split(&self, weights: &Weights) -> Vec<Slice> {
        let mail = self.mail(WIDEST.of);
        let listed = self.listed(&mail, 0);
        // Every part tells of all targets, as long as that leaves most of its room to violations.
        let all = weights.targets.iter().copied().fold(Weight::default(), Weight::plus);
        let repeated =
            all.enveloped <= LIMIT / 3 && Weight::of_room(self.bare(&Slice::first(listed), Some(&mail))).holds(&all);
        let each = if repeated { 0..weights.targets.len() } else { 0..0 };
        let mut parts = vec![Slice { targets: each.clone(), ..Slice::first(listed) }];
        let after = Slice { targets: each.clone(), ..Slice::later(listed) };
        let mut room = Weight::of_room(self.bare(&parts[0], Some(&mail)));
        let later = Weight::of_room(self.bare(&after, None));
        let mut make_room = |parts: &mut Vec<Slice>, weight: &Weight, targets, violations| {
            if !room.holds(weight) {
                parts.push(Slice { targets, violations, ..after.clone() });
                room = later;
            }
            room.take(weight);
        };
        if !repeated {
            for (index, weight) in weights.targets.iter().enumerate() {
                make_room(&mut parts, weight, index..index, 0..0);
                parts.last_mut().expect("there is a first part").targets.end = index + 1;
            }
        }
        for (index, weight) in weights.violations.iter().enumerate() {
            make_room(&mut parts, weight, each.clone(), index..index);
            parts.last_mut().expect("there is a first part").violations.end = index + 1;
        }
        parts
    }

    /// Leaves one message: the worst violations and the targets that are not compliant first, as many as fit.
    fn truncate(&mut self) {
        // The order among them stays as it is.
        self.targets.sort_by_key(|target| target.verdict == Verdict::Compliant);
        let flagged = self.targets.iter().filter(|target| target.verdict != Verdict::Compliant).count();
        // While it is not known how many are shown, room is kept for the widest numbers.
        let all = Truncated { violations: self.report.violations.len(), targets: self.targets.len() };
        self.truncated = Some(all);
        let mail = self.mail(1);
        let listed = self.listed(&mail, LIMIT / 8);
        let mut room = Weight::of_room(self.bare(&Slice::first(listed), Some(&mail)));

        let targets = self.targets.iter().map(|target| Weight::of_item(&sent::target(target)));
        let violations = self.report.violations.iter().map(|violation| Weight::of_item(&sent::violation(violation)));
        // A third is for the targets that are not compliant, so that violations do not take it all. What one of the
        // two does not need is the other's, and what both leave is for the other targets.
        let mut third = room.third();
        let first = third.fill(targets.clone().take(flagged));
        targets.clone().take(first).for_each(|weight| room.take(&weight));
        let violations = room.fill(violations);
        let targets = first + room.fill(targets.skip(first));

        self.truncated = Some(Truncated { violations, targets });
        self.parts = vec![Slice { targets: 0..targets, violations: 0..violations, ..Slice::first(listed) }];
    }
}

impl Slice {
    /// The first part, with as much of each fixed list.
    fn first(listed: usize) -> Slice {
        Slice { listed, ids: listed, ..Slice::default() }
    }

    /// A later part, if the first has as much of each fixed list.
    fn later(listed: usize) -> Slice {
        Slice { ids: listed, ..Slice::default() }
    }
}

/// What the items of the report's lists add to a message.
struct Weights {
    targets: Vec<Weight>,
    violations: Vec<Weight>,
}

impl Weights {
    /// Whether they are too much for one message whatever else is in it, so that thousands of them are not written once
    /// for nothing.
    fn are_beyond_limit(&self) -> bool {
        let published = self.targets.iter().chain(&self.violations).map(|weight| weight.published);
        published.sum::<usize>() > LIMIT
    }
}
