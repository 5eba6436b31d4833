//! What settings say about buckets and objects.

use std::fmt;

use crate::names::{Arn, is_account_id, is_region};

/// What is expected of the name of a bucket.
pub(super) const NAME: &str = "the name of an S3 bucket, without dots";

/// What is expected of the ARN of a key.
pub(super) const KEY_ARN: &str = "the ARN of a KMS key, such as arn:aws:kms:us-east-1:111122223333:key/0123abcd-...";

/// What is expected of the address of an object.
pub(super) const URI: &str = "the address of an object, such as s3://BUCKET/exemptions.json";

/// What is expected of the retention of stored reports.
pub(super) const RETENTION: &str = "`GOVERNANCE:DAYS` or `COMPLIANCE:DAYS`, with 1 to 36500 days";

/// The most days that S3 locks an object for: a hundred years.
const LONGEST: u32 = 36_500;

/// For how long nobody may delete or change a stored report (S3 Object Lock).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Retention {
    /// Who may lift it.
    pub mode: RetentionMode,
    /// For how many days from when it is stored.
    pub days: u32,
}

/// Who may lift a retention.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum RetentionMode {
    /// Whoever has the permission to bypass it.
    Governance,
    /// Nobody, the root user included.
    Compliance,
}

impl RetentionMode {
    /// The mode as S3 spells it.
    pub fn as_str(self) -> &'static str {
        match self {
            RetentionMode::Governance => "GOVERNANCE",
            RetentionMode::Compliance => "COMPLIANCE",
        }
    }
}

impl Retention {
    pub(super) fn parse(text: &str) -> Option<Retention> {
        let (mode, days) = text.split_once(':')?;
        let modes = [RetentionMode::Governance, RetentionMode::Compliance];
        let mode = modes.into_iter().find(|known| known.as_str() == mode)?;
        let days = days.parse().ok().filter(|days| (1..=LONGEST).contains(days))?;
        Some(Retention { mode, days })
    }
}

/// The address of an object.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ObjectUri {
    /// Its bucket.
    pub bucket: String,
    /// Its key.
    pub key: String,
}

impl ObjectUri {
    pub(super) fn parse(text: &str) -> Option<ObjectUri> {
        let (bucket, key) = text.strip_prefix("s3://")?.split_once('/')?;
        // A key becomes the path of a request as it is. Others would have to be encoded.
        let is_plain_key = !key.is_empty()
            && key.len() <= 1024
            && !key.starts_with('/')
            && key.split('/').all(|part| part != "." && part != "..")
            && key.bytes().all(|b| b.is_ascii_alphanumeric() || b"/_.-".contains(&b));
        Some(ObjectUri { bucket: name(bucket)?, key: key.to_owned() }).filter(|_| is_plain_key)
    }
}

impl fmt::Display for ObjectUri {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "s3://{}/{}", self.bucket, self.key)
    }
}

/// A name that a bucket can have and that it can be reached by: a dot in it would not fit S3's
/// certificate.
pub(super) fn name(name: &str) -> Option<String> {
    let is_name = (3..=63).contains(&name.len())
        && name.bytes().all(|b| b.is_ascii_lowercase() || b.is_ascii_digit() || b == b'-')
        && !name.starts_with('-')
        && !name.ends_with('-');
    is_name.then(|| name.to_owned())
}

/// The ARN of a KMS key, or of an alias of one.
pub(super) fn key_arn(text: &str) -> Option<String> {
    let arn = Arn::parse(text)?;
    let id = arn.resource.strip_prefix("key/").or_else(|| arn.resource.strip_prefix("alias/"))?;
    let is_plain = !id.is_empty() && id.bytes().all(|b| b.is_ascii_alphanumeric() || b"/_-".contains(&b));
    let is_key = arn.service == "kms" && is_region(arn.region) && is_account_id(arn.account_id) && is_plain;
    is_key.then(|| text.to_owned())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_retention_has_a_mode_and_days() {
        let parsed = Retention::parse("GOVERNANCE:36500").map(|retention| (retention.mode.as_str(), retention.days));
        assert_eq!(parsed, Some(("GOVERNANCE", 36_500)));
        assert_eq!(Retention::parse("COMPLIANCE:1").map(|retention| retention.mode), Some(RetentionMode::Compliance));
        for text in ["COMPLIANCE", "COMPLIANCE:0", "COMPLIANCE:36501", "compliance:1", "COMPLIANCE:-1", "X:1", ":1"] {
            assert_eq!(Retention::parse(text), None, "{text}");
        }
    }

    #[test]
    fn an_address_has_a_bucket_and_a_key() {
        let parsed = ObjectUri::parse("s3://evidence/a-b/c_d.json");
        assert_eq!(parsed.map(|uri| (uri.bucket, uri.key)), Some(("evidence".to_owned(), "a-b/c_d.json".to_owned())));
        for text in [
            "evidence/a",
            "s3://evidence",
            "s3://evidence/",
            "s3://evidence//a",
            "s3://e/a",
            "s3://evidence/a b",
            "s3://evidence/a/../b",
            "s3://evidence/a/.",
            "s3://evidence/a?b",
        ] {
            assert_eq!(ObjectUri::parse(text), None, "{text}");
        }
    }
}
