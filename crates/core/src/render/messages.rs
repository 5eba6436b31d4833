//! The report as SNS messages: in as few parts as fit, each with its texts for people.

use std::ops::Range;

use serde::Serialize;

use super::mail;
use crate::names::fingerprint;
use crate::report::v1::{Part, Report};
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
/// hold every violation once. Each is written when it is asked for, so that only one is held.
#[derive(Debug)]
pub struct Messages<'a> {
    report: &'a Report,
    scope: String,
    parts: Vec<Slice>,
}

/// What a part has of the report's lists.
#[derive(Clone, Debug, PartialEq, Eq)]
struct Slice {
    targets: Range<usize>,
    violations: Range<usize>,
}

impl<'a> Messages<'a> {
    /// Divides a report into as few messages as fit.
    pub fn of(report: &'a Report) -> Messages<'a> {
        let whole = Slice { targets: 0..report.targets.len(), violations: 0..report.violations.len() };
        let mut messages = Messages { report, scope: mail::scope(report), parts: vec![whole] };
        let weights = Weights {
            targets: report.targets.iter().map(Weight::of_item).collect(),
            violations: report.violations.iter().map(Weight::of_item).collect(),
        };
        // Thousands of violations or targets are not written once for nothing.
        let published = |weights: &[Weight]| weights.iter().map(|weight| weight.published).sum::<usize>();
        let too_many = published(&weights.targets) + published(&weights.violations) > LIMIT;
        if too_many || messages.get(0).is_none_or(|whole| whole.size() > LIMIT) {
            messages.parts = messages.split(&weights);
        }
        messages
    }

    /// How many there are.
    pub fn len(&self) -> usize {
        self.parts.len()
    }

    /// Whether there is none. There is always one.
    pub fn is_empty(&self) -> bool {
        self.parts.is_empty()
    }

    /// The message at this place, from 0.
    pub fn get(&self, index: usize) -> Option<Message> {
        let slice = self.parts.get(index)?;
        let part = Part { number: index + 1, of: self.parts.len() };
        Some(self.message(&self.part(slice, part), index == 0))
    }

    /// Every message, in order.
    pub fn iter(&self) -> impl Iterator<Item = Message> {
        (0..self.len()).filter_map(|index| self.get(index))
    }

    /// A part as a report of its own.
    fn part(&self, slice: &Slice, part: Part) -> Report {
        let report = self.report;
        Report {
            schema_version: report.schema_version,
            report_id: report.report_id.clone(),
            generated_at: report.generated_at.clone(),
            trigger: report.trigger.clone(),
            verdict: report.verdict,
            complete: report.complete,
            rules_disabled: report.rules_disabled.clone(),
            summary: report.summary.clone(),
            targets: report.targets[slice.targets.clone()].to_vec(),
            violations: report.violations[slice.violations.clone()].to_vec(),
            part,
        }
    }

    /// The message of a part. The mail of the first tells of the whole report, those of the others
    /// are notes.
    fn message(&self, part: &Report, is_first: bool) -> Message {
        let Part { number, of } = part.part;
        let mail = if is_first { mail::text(self.report, of) } else { mail::part_note(part) };
        let suffix = if of > 1 { format!(" (part {number} of {of})") } else { String::new() };
        let headline = mail::headline(part, &self.scope, SUBJECT - suffix.len());
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
        let sms =
            if is_first { mail::headline(part, &self.scope, SMS) } else { mail::short_note(part, &self.scope, SMS) };
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

    /// Fills one part after the other.
    fn split(&self, weights: &Weights) -> Vec<Slice> {
        let all = 0..weights.targets.len();
        // Every part tells of all targets, as long as that leaves most of its room to violations.
        let repeated = weights.targets.iter().map(|weight| weight.enveloped).sum::<usize>() <= LIMIT / 3;
        let each = if repeated { all.clone() } else { 0..0 };
        let bare = |is_first: bool| {
            let part = self.part(&Slice { targets: each.clone(), violations: 0..0 }, WIDEST);
            Weight::of_room(self.message(&part, is_first).size())
        };
        let mut parts = vec![Slice { targets: each.clone(), violations: 0..0 }];
        let mut room = bare(true);
        let later = bare(false);
        let mut make_room = |parts: &mut Vec<Slice>, weight: &Weight, next: Slice| {
            if !room.holds(weight) {
                parts.push(next);
                room = later;
            }
            room.take(weight);
        };
        if !repeated {
            for (index, weight) in weights.targets.iter().enumerate() {
                make_room(&mut parts, weight, Slice { targets: index..index, violations: 0..0 });
                parts.last_mut().expect("there is a first part").targets.end = index + 1;
            }
        }
        for (index, weight) in weights.violations.iter().enumerate() {
            make_room(&mut parts, weight, Slice { targets: each.clone(), violations: index..index });
            parts.last_mut().expect("there is a first part").violations.end = index + 1;
        }
        parts
    }
}

/// What the items of the report's lists add to a message.
struct Weights {
    targets: Vec<Weight>,
    violations: Vec<Weight>,
}

/// What something adds to a message, in bytes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct Weight {
    /// To what is published: JSON inside a JSON string, where every quote takes two bytes.
    published: usize,
    /// To the envelope, in which SNS may write what is not ASCII as escapes of six bytes.
    enveloped: usize,
}

impl Weight {
    fn of_text(text: &str) -> Weight {
        let (mut published, mut enveloped) = (0, 0);
        for c in text.chars() {
            let escape = usize::from(matches!(c, '"' | '\\'));
            published += c.len_utf8() + escape;
            enveloped += if c.is_ascii() { 1 + escape } else { 6 * c.len_utf16() };
        }
        Weight { published, enveloped }
    }

    /// An item of a list, its comma included.
    fn of_item<T: Serialize>(item: &T) -> Weight {
        let Weight { published, enveloped } = Weight::of_text(&json(item));
        Weight { published: published + 1, enveloped: enveloped + 1 }
    }

    /// The room that a message of this size leaves.
    fn of_room(size: usize) -> Weight {
        let room = LIMIT.saturating_sub(size);
        Weight { published: room, enveloped: room }
    }

    fn holds(&self, other: &Weight) -> bool {
        other.published <= self.published && other.enveloped <= self.enveloped
    }

    fn take(&mut self, other: &Weight) {
        self.published = self.published.saturating_sub(other.published);
        self.enveloped = self.enveloped.saturating_sub(other.enveloped);
    }
}
