//! Names that AWS gives: Regions, accounts, roles, topics and ARNs, taken apart and checked.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use sha2::{Digest, Sha256};

/// The Regions that offer Macie: the endpoints of `macie2` in botocore 1.44.5's
/// `endpoints.json`, partition `aws`, as of 2026-11-22. The other partitions offer none.
pub const MACIE_REGIONS: [&str; 22] = [
    "af-south-1",
    "ap-east-1",
    "ap-northeast-1",
    "ap-northeast-2",
    "ap-northeast-3",
    "ap-south-1",
    "ap-southeast-1",
    "ap-southeast-2",
    "ca-central-1",
    "eu-central-1",
    "eu-north-1",
    "eu-south-1",
    "eu-west-1",
    "eu-west-2",
    "eu-west-3",
    "il-central-1",
    "me-south-1",
    "sa-east-1",
    "us-east-1",
    "us-east-2",
    "us-west-1",
    "us-west-2",
];

/// One account in one Region.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
#[schemars(inline)]
pub struct Target {
    /// The twelve digits of the AWS account.
    pub account_id: String,
    /// The Region's code, such as `eu-west-1`.
    pub region: String,
}

/// Whether Macie has allow lists in a Region: everywhere but in Asia Pacific (Osaka) (Macie User Guide, "Allow
/// lists").
pub fn has_allow_lists(region: &str) -> bool {
    region != "ap-northeast-3"
}

/// The Regions of the partitions of AWS that every account has. All that came after March 2019 have to be opted
/// into (AWS Account Management Reference Guide, "Enable or disable AWS Regions").
const DEFAULT_REGIONS: [&str; 21] = [
    "ap-northeast-1",
    "ap-northeast-2",
    "ap-northeast-3",
    "ap-south-1",
    "ap-southeast-1",
    "ap-southeast-2",
    "ca-central-1",
    "cn-north-1",
    "cn-northwest-1",
    "eu-central-1",
    "eu-north-1",
    "eu-west-1",
    "eu-west-2",
    "eu-west-3",
    "sa-east-1",
    "us-east-1",
    "us-east-2",
    "us-gov-east-1",
    "us-gov-west-1",
    "us-west-1",
    "us-west-2",
];

/// Whether an account has a Region only after it opted into it.
pub fn has_to_be_opted_into(region: &str) -> bool {
    !DEFAULT_REGIONS.contains(&region)
}

/// Which Regions to audit.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Regions {
    /// Every Region that offers Macie and that the account has not disabled.
    All,
    /// These, each once.
    These(Vec<String>),
}

/// A role to assume in another Macie administrator account.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct Role {
    /// Its Amazon Resource Name.
    pub arn: String,
    /// The account that it is in.
    pub account_id: String,
    /// The external id that its trust policy asks for (`MACIE_ROLE_EXTERNAL_IDS`).
    pub external_id: Option<String>,
}

impl Role {
    /// The role of an ARN, without an external id; `None` when it is not the ARN of a role.
    pub fn parse(arn: &str) -> Option<Role> {
        let parts = Arn::parse(arn)?;
        let name = parts.resource.strip_prefix("role/")?;
        let sound = parts.service == "iam"
            && parts.region.is_empty()
            && is_account_id(parts.account_id)
            && !name.is_empty()
            && !name.ends_with('/')
            && name.len() <= 576
            && name.bytes().all(|b| b.is_ascii_alphanumeric() || b"/+=.@-_".contains(&b));
        sound.then(|| Role { arn: arn.to_owned(), account_id: parts.account_id.to_owned(), external_id: None })
    }
}

/// The SNS topic of the reports.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Topic {
    /// Its Amazon Resource Name.
    pub arn: String,
    /// The Region that it is in, which is where it must be published to.
    pub region: String,
    /// The account that owns it.
    pub account_id: String,
    /// Whether it is a FIFO topic.
    pub fifo: bool,
}

impl Topic {
    /// The topic of an ARN; `None` when it is not the ARN of a topic.
    pub fn parse(text: &str) -> Option<Topic> {
        let arn = Arn::parse(text)?;
        let name = arn.resource;
        let stem = name.strip_suffix(".fifo").unwrap_or(name);
        let sound = arn.service == "sns"
            && is_region(arn.region)
            && is_account_id(arn.account_id)
            && name.len() <= 256
            && !stem.is_empty()
            && stem.bytes().all(|b| b.is_ascii_alphanumeric() || b == b'-' || b == b'_');
        sound.then(|| Topic {
            arn: text.to_owned(),
            region: arn.region.to_owned(),
            account_id: arn.account_id.to_owned(),
            fifo: name.ends_with(".fifo"),
        })
    }
}

/// Whether STS takes a text as an external id. It may hold commas too, which a list cannot.
pub fn is_external_id(text: &str) -> bool {
    (2..=1224).contains(&text.len()) && text.bytes().all(|b| b.is_ascii_alphanumeric() || b"_+=.@:/-".contains(&b))
}

/// A short name for a list of texts that stays the same over runs and builds: the first half of
/// the SHA-256 digest of the texts, each preceded by its length so that no two lists read alike.
///
/// ```
/// let parts = ["999999999999", "us-east-1", "member-account-suspended", "100000000099"];
/// assert_eq!(macie_compliance_core::names::fingerprint(&parts), "19f4fa3d2d268e68e154e19cf4c7fa85");
/// ```
pub fn fingerprint(parts: &[&str]) -> String {
    let mut hash = Sha256::new();
    for part in parts {
        hash.update((part.len() as u64).to_be_bytes());
        hash.update(part);
    }
    hex(&hash.finalize()[..16])
}

/// The SHA-256 digest of some bytes, in 64 lowercase hexadecimal digits.
///
/// ```
/// let digest = "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad";
/// assert_eq!(macie_compliance_core::names::sha256(b"abc"), digest);
/// ```
pub fn sha256(bytes: &[u8]) -> String {
    hex(&Sha256::digest(bytes))
}

fn hex(bytes: &[u8]) -> String {
    bytes.iter().map(|byte| format!("{byte:02x}")).collect()
}

/// Whether a text has the form of a Region's code, such as `eu-west-1` or `us-gov-west-1`. It
/// becomes part of a host name, so nothing else may pass.
pub fn is_region(text: &str) -> bool {
    let mut parts = text.split('-');
    let letters = |part: &str| !part.is_empty() && part.bytes().all(|b| b.is_ascii_lowercase());
    let (Some(area), Some(number)) = (parts.next(), parts.next_back()) else { return false };
    let places: Vec<&str> = parts.collect();
    letters(area)
        && (2..=4).contains(&area.len())
        && !places.is_empty()
        && places.iter().all(|place| letters(place))
        && (1..=2).contains(&number.len())
        && number.bytes().all(|b| b.is_ascii_digit())
        && text.len() <= 32
}

/// Whether a text is an AWS account id: twelve digits.
pub fn is_account_id(text: &str) -> bool {
    text.len() == 12 && text.bytes().all(|b| b.is_ascii_digit())
}

/// The parts of an ARN: partition, service, Region, account and what follows.
pub struct Arn<'a> {
    /// The service, such as `sns`.
    pub service: &'a str,
    /// The Region, empty for services that have none.
    pub region: &'a str,
    /// The account id, empty where the resource belongs to nobody.
    pub account_id: &'a str,
    /// What names the resource within the service.
    pub resource: &'a str,
}

impl<'a> Arn<'a> {
    /// Takes an ARN apart; `None` when it is not one.
    pub fn parse(text: &'a str) -> Option<Arn<'a>> {
        let mut parts = text.splitn(6, ':');
        let (prefix, partition) = (parts.next()?, parts.next()?);
        let (service, region, account_id, resource) = (parts.next()?, parts.next()?, parts.next()?, parts.next()?);
        let sound = prefix == "arn"
            && partition.starts_with("aws")
            && partition.bytes().all(|b| b.is_ascii_lowercase() || b == b'-')
            && !resource.is_empty();
        sound.then_some(Arn { service, region, account_id, resource })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Other programs compute it, and compare it with that of the run before.
    #[test]
    fn a_fingerprint_tells_lists_apart() {
        assert_ne!(fingerprint(&["ab", "c"]), fingerprint(&["a", "bc"]));
    }

    #[test]
    fn only_what_reads_like_a_region_passes() {
        for region in ["eu-west-1", "us-gov-west-1", "ap-southeast-12", "us-iso-east-1", "eusc-de-east-1"] {
            assert!(is_region(region), "{region}");
        }
        for text in [
            "",
            "all",
            "eu-west",
            "eu-west-",
            "EU-WEST-1",
            "eu-west-1 ",
            "eu_west_1",
            "eu-west-1.evil.com",
            "e-west-1",
            "eu-1",
            "eu--1",
            "eu-west-123",
        ] {
            assert!(!is_region(text), "{text}");
        }
    }
}
