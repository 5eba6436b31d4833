//! Messages that SNS takes: the report in as few parts as fit, each with its texts for people.

use serde::Serialize;

use super::mail;
use super::v1::{Part, Report};
use crate::rules::fingerprint;
use crate::text::{ascii, json};

/// The largest message that SNS takes, in bytes: its body and its attributes.
pub const LIMIT: usize = 262_144;

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
    /// The same for the same part of the same report, for FIFO topics.
    pub deduplication_id: String,
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

    /// The size as SNS counts it, the subject added to be on the safe side.
    pub fn size(&self) -> usize {
        let attribute = |a: &Attribute| a.name.len() + a.data_type.len() + a.value.len();
        self.subject.len() + self.body.len() + self.attributes.iter().map(attribute).sum::<usize>()
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
/// hold every violation once.
pub fn messages(report: &Report) -> Vec<Message> {
    let text = mail::text(report);
    // A part may hold none of the targets, so the scope is told from the whole.
    let scope = mail::scope(report);
    let weights: Vec<usize> = report.violations.iter().map(weight).collect();
    // Thousands of violations are not written once for nothing.
    if weights.iter().sum::<usize>() <= LIMIT {
        let whole = message(report, &scope, &text);
        if whole.size() <= LIMIT {
            return vec![whole];
        }
    }
    let parts = split(report, &scope, &weights);
    // The first part's mail tells of the whole report, so it is written from that.
    let first = mail::text(&Report { part: Part { number: 1, of: parts.len() }, ..report.clone() });
    let texts = std::iter::once(first).chain(parts.iter().skip(1).map(mail::part_note));
    parts.iter().zip(texts).map(|(part, text)| message(part, &scope, &text)).collect()
}

fn message(report: &Report, scope: &str, mail: &str) -> Message {
    let Part { number, of } = report.part;
    let part = if of > 1 { format!(" (part {number} of {of})") } else { String::new() };
    let headline = mail::headline(report, scope, SUBJECT - part.len());
    let worst = report.summary.by_severity.iter().find(|(_, violations)| **violations > 0);
    let worst = worst.map_or_else(|| "NONE".to_owned(), |(severity, _)| json(severity).replace('"', ""));
    let attribute = |name, data_type, value| Attribute { name, data_type, value };
    let body = Body { default: &json(report), email: mail, sms: &mail::headline(report, scope, SMS) };
    Message {
        subject: format!("{headline}{part}"),
        // Each of the three texts is safe to show already, and only has to become a string.
        body: serde_json::to_string(&body).expect("three strings"),
        attributes: vec![
            attribute("verdict", "String", report.verdict.as_str().to_owned()),
            attribute("complete", "String", report.complete.to_string()),
            attribute("maxSeverity", "String", worst),
            attribute("violations", "Number", report.summary.violations.to_string()),
            attribute("reportId", "String", ascii(&report.report_id, 256)),
            attribute("part", "Number", number.to_string()),
            attribute("parts", "Number", of.to_string()),
        ],
        deduplication_id: fingerprint(&[&report.report_id, &number.to_string()]),
    }
}

/// Fills one part after the other. What a part weighs is computed on what is sent: JSON inside a
/// JSON string, where every quote takes two bytes.
fn split(report: &Report, scope: &str, weights: &[usize]) -> Vec<Report> {
    // Every part tells of all targets, as long as that leaves most of its room to violations.
    let repeated = report.targets.iter().map(weight).sum::<usize>() <= LIMIT / 3;
    let (each, once) =
        if repeated { (report.targets.as_slice(), &[][..]) } else { (&[][..], report.targets.as_slice()) };
    let bare = Report { targets: each.to_vec(), violations: Vec::new(), part: WIDEST, ..report.clone() };
    let new_part = |parts: usize| {
        let part = bare.clone();
        let text =
            if parts == 0 { mail::text(&Report { part: WIDEST, ..report.clone() }) } else { mail::part_note(&part) };
        let room = LIMIT.saturating_sub(message(&part, scope, &text).size());
        (part, room)
    };
    let (first, mut room) = new_part(0);
    let mut parts = vec![first];
    let mut make_room = |parts: &mut Vec<Report>, weight: usize| {
        if weight > room {
            let (part, new_room) = new_part(parts.len());
            parts.push(part);
            room = new_room;
        }
        room = room.saturating_sub(weight);
    };
    for target in once {
        make_room(&mut parts, weight(target));
        parts.last_mut().expect("there is a first part").targets.push(target.clone());
    }
    for (violation, weight) in report.violations.iter().zip(weights) {
        make_room(&mut parts, *weight);
        parts.last_mut().expect("there is a first part").violations.push(violation.clone());
    }
    let of = parts.len();
    for (index, part) in parts.iter_mut().enumerate() {
        part.part = Part { number: index + 1, of };
    }
    parts
}

/// What an item of a list adds to a message, its comma included: its JSON, in which nothing but
/// quotes and backslashes is left to be escaped when it becomes a string.
fn weight<T: Serialize>(item: &T) -> usize {
    let item = json(item);
    item.len() + item.bytes().filter(|byte| matches!(byte, b'"' | b'\\')).count() + 1
}
