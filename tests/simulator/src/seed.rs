//! What the simulator holds and how it misbehaves, as read from a JSON file or built in a test.

use std::collections::BTreeMap;
use std::path::Path;
use std::{fs, io};

use serde::Deserialize;
use serde_json::{Map, Value};

/// The Regions that offer Macie, which are also the ones that `account:ListRegions` answers by default.
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

/// Everything that a simulator starts with.
///
/// The default is an account with Macie enabled in every Region and nothing in any list.
#[derive(Debug, Clone, Deserialize)]
#[serde(default, rename_all = "camelCase", deny_unknown_fields)]
pub struct Seed {
    /// The account that every access key belongs to which AssumeRole did not give out.
    pub account: String,
    /// What Macie holds, by account and Region. A pair that is not here has Macie not enabled.
    pub targets: Vec<TargetSeed>,
    /// What `account:ListRegions` answers. Macie refuses the calls of a Region that is disabled here.
    pub regions: Vec<RegionSeed>,
    /// How lists are cut into pages.
    pub paging: Paging,
    /// A delay before every answer.
    pub latency_ms: u64,
    /// The roles that may be assumed, by ARN. When it is empty, every role may be.
    pub roles: BTreeMap<String, RoleSeed>,
    /// The topics that exist, by ARN. When it is absent, every well-formed ARN is a topic.
    pub topics: Option<Vec<String>>,
    /// What S3 holds: by `bucket/key` a text, or a document that is stored as JSON.
    pub objects: BTreeMap<String, Value>,
    /// What goes wrong. The first fault that applies to a request is the one that happens.
    pub faults: Vec<Fault>,
}

impl Default for Seed {
    fn default() -> Seed {
        Seed {
            account: "999999999999".to_owned(),
            targets: vec![TargetSeed::default()],
            regions: MACIE_REGIONS
                .iter()
                .map(|name| RegionSeed { name: (*name).to_owned(), opt_status: default_opt_status() })
                .collect(),
            paging: Paging::default(),
            latency_ms: 0,
            roles: BTreeMap::new(),
            topics: None,
            objects: BTreeMap::new(),
            faults: Vec::new(),
        }
    }
}

impl Seed {
    /// Reads a seed from a JSON file. The error names the file, and the line where it can.
    pub fn read(path: &Path) -> io::Result<Seed> {
        let of_file = |what: &dyn std::fmt::Display| format!("{}: {what}", path.display());
        let text = fs::read_to_string(path).map_err(|err| io::Error::new(err.kind(), of_file(&err)))?;
        serde_json::from_str(&text).map_err(|err| io::Error::new(io::ErrorKind::InvalidData, of_file(&err)))
    }

    /// Refuses what would silently never take effect, such as a fault for a misspelt API.
    pub(crate) fn check(&self) -> Result<(), String> {
        if !is_account(&self.account) {
            return Err(format!("account {:?} is not 12 digits", self.account));
        }
        let mut seen = Vec::new();
        for target in &self.targets {
            let account = target.account_id.as_deref().unwrap_or(&self.account);
            if !is_account(account) {
                return Err(format!("accountId {account:?} is not 12 digits"));
            }
            if seen.contains(&(account, target.region.as_str())) {
                return Err(format!("two targets for {account} in {}", target.region));
            }
            seen.push((account, target.region.as_str()));
        }
        if !(1..=25).contains(&self.paging.max_page) {
            return Err(format!("maxPage {} is not from 1 to 25", self.paging.max_page));
        }
        self.faults.iter().try_for_each(Fault::check)
    }
}

/// What Macie holds for one account in one Region.
///
/// Items of the three lists are JSON objects as the service would give them, and two keys are ours:
/// `count` makes that many items of one, and `raw: true` leaves missing fields missing, where
/// otherwise sensible values fill the gaps.
#[derive(Debug, Clone, Deserialize)]
#[serde(default, rename_all = "camelCase", deny_unknown_fields)]
pub struct TargetSeed {
    /// The account; the seed's own when absent.
    pub account_id: Option<String>,
    /// The Region, or `*` for every Region that has no target of its own.
    pub region: String,
    /// Whether Macie is enabled; when not, every Macie API says so.
    pub enabled: bool,
    /// The HTTP status of "Macie is not enabled", which was seen as 403 and as 401.
    pub not_enabled_status: u16,
    /// The fields of GetMacieSession that differ from an ordinary enabled session.
    pub session: Map<String, Value>,
    /// What ListMembers answers.
    pub members: Vec<Value>,
    /// What GetMember answers differently, by account id: fields to change, or null for "not found".
    pub member_now: BTreeMap<String, Value>,
    /// What ListInvitations answers.
    pub invitations: Vec<Value>,
    /// What ListFindingsFilters and GetFindingsFilter answer. Beside the service's fields, `criteria` is
    /// `findingCriteria` or the map in it, and `now` what GetFindingsFilter answers differently: fields to
    /// change, or null for "not found".
    pub findings_filters: Vec<Value>,
    /// What GetFindingStatistics counts: fields of findings, by the service's names, as nested objects or full
    /// paths, or by `severity`, `bucket`, `jobId` and `occurrences`. `count` is how many such findings there are.
    pub findings: Vec<Map<String, Value>>,
    /// The account's administrator relationship; the field is absent in the answer when this is.
    pub administrator: Option<Value>,
}

impl Default for TargetSeed {
    fn default() -> TargetSeed {
        TargetSeed {
            account_id: None,
            region: "*".to_owned(),
            enabled: true,
            not_enabled_status: 403,
            session: Map::new(),
            members: Vec::new(),
            member_now: BTreeMap::new(),
            invitations: Vec::new(),
            findings_filters: Vec::new(),
            findings: Vec::new(),
            administrator: None,
        }
    }
}

/// One Region as `account:ListRegions` knows it.
#[derive(Debug, Clone, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct RegionSeed {
    /// The Region's name.
    pub name: String,
    /// One of ENABLED, ENABLING, DISABLING, DISABLED and ENABLED_BY_DEFAULT.
    #[serde(default = "default_opt_status")]
    pub opt_status: String,
}

fn default_opt_status() -> String {
    "ENABLED_BY_DEFAULT".to_owned()
}

/// How lists are cut into pages.
#[derive(Debug, Clone, Deserialize)]
#[serde(default, rename_all = "camelCase", deny_unknown_fields)]
pub struct Paging {
    /// The length of a token, at least 12. Tokens hold characters that a URL must encode.
    pub token_length: usize,
    /// After this many pages comes an empty one with a token; 0 for never.
    pub empty_page_every: u64,
    /// The most items on a page, whatever was asked for.
    pub max_page: usize,
}

impl Default for Paging {
    fn default() -> Paging {
        Paging { token_length: 44, empty_page_every: 0, max_page: 25 }
    }
}

/// What AssumeRole asks for before it gives out a role.
#[derive(Debug, Clone, Default, Deserialize)]
#[serde(default, rename_all = "camelCase", deny_unknown_fields)]
pub struct RoleSeed {
    /// The external id that must come with the request; none is asked for when absent.
    pub external_id: Option<String>,
    /// How long its credentials are good; as long as was asked for when absent.
    pub session_seconds: Option<u64>,
}

/// Something that goes wrong, and for which requests.
#[derive(Debug, Clone, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct Fault {
    /// `macie2`, `sns`, `sts`, `account` or `s3`; every service when absent.
    #[serde(default)]
    pub service: Option<String>,
    /// The operation, such as `ListMembers`; every operation when absent.
    #[serde(default)]
    pub api: Option<String>,
    /// The Region; every Region when absent.
    #[serde(default)]
    pub region: Option<String>,
    /// The calling account; every account when absent.
    #[serde(default)]
    pub account_id: Option<String>,
    /// A part of the decoded path, such as an object's key; every path when absent.
    #[serde(default)]
    pub path: Option<String>,
    /// The first matching request that it happens to, counted from 1.
    #[serde(default = "first")]
    pub from: u64,
    /// To how many matching requests it happens; to all that follow when absent.
    #[serde(default)]
    pub times: Option<u64>,
    /// What happens.
    pub kind: FaultKind,
}

fn first() -> u64 {
    1
}

impl Fault {
    /// A fault of every request of one API, to be narrowed by struct update.
    #[must_use]
    pub fn of(service: &str, api: &str, kind: FaultKind) -> Fault {
        Fault {
            service: Some(service.to_owned()),
            api: Some(api.to_owned()),
            region: None,
            account_id: None,
            path: None,
            from: first(),
            times: None,
            kind,
        }
    }

    fn check(&self) -> Result<(), String> {
        let known = |service: &str| match service {
            "macie2" => Some(&crate::macie::OPERATIONS[..]),
            "sns" => Some(&["Publish"][..]),
            "sts" => Some(&["AssumeRole", "GetCallerIdentity"][..]),
            "account" => Some(&["ListRegions"][..]),
            "s3" => Some(&crate::s3::OPERATIONS[..]),
            _ => None,
        };
        let Some(service) = &self.service else {
            return Ok(());
        };
        let Some(apis) = known(service) else {
            return Err(format!("a fault names the unknown service {service:?}"));
        };
        match &self.api {
            Some(api) if !apis.contains(&api.as_str()) => Err(format!("a fault names the unknown API {service}:{api}")),
            _ => Ok(()),
        }
    }
}

/// What happens instead of a right answer.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
#[serde(tag = "type", rename_all = "camelCase", rename_all_fields = "camelCase", deny_unknown_fields)]
pub enum FaultKind {
    /// An error in the protocol of the service.
    Error {
        /// The HTTP status.
        status: u16,
        /// The error code, such as `ThrottlingException`.
        code: String,
        /// The message.
        #[serde(default)]
        message: String,
    },
    /// Any answer at all.
    Respond {
        /// The HTTP status.
        status: u16,
        /// The content type.
        content_type: String,
        /// The body, sent as it is.
        body: String,
    },
    /// A right answer cut in half, with a length that agrees.
    Truncate,
    /// The connection is reset before the first byte of an answer.
    Reset,
    /// A right answer is begun and the connection reset in the middle of its body.
    ResetMidBody,
    /// No answer, for as long as the client holds the connection.
    Hang,
    /// A right answer is begun and never finished.
    HangMidBody,
    /// A right answer, late.
    Slow {
        /// How late.
        ms: u64,
    },
    /// A right answer followed by white space up to a size; still valid JSON, or XML.
    BigBody {
        /// The size of the whole body.
        bytes: u64,
    },
    /// The same, up to 65,536 bytes, which come one by one.
    Drip {
        /// The size of the whole body.
        bytes: u64,
    },
    /// The next token is the token that was sent.
    RepeatToken,
    /// The next tokens are A, B, A, B and so on.
    CycleTokens,
    /// Every page is empty and has a fresh token.
    EndlessEmpty,
    /// The request takes effect, and the connection is reset instead of an answer: a lost acknowledgement.
    AfterAccept,
    /// Somebody else writes the object that a request to S3 is for, just before it is answered.
    Overwritten {
        /// What is written.
        body: String,
    },
}

fn is_account(text: &str) -> bool {
    text.len() == 12 && text.bytes().all(|byte| byte.is_ascii_digit())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_seed_in_the_readme_is_one() {
        let readme = include_str!("../README.md");
        let (_, rest) = readme.split_once("```json\n").expect("an example");
        let (example, _) = rest.split_once("```").expect("its end");
        let seed: Seed = serde_json::from_str(example).expect("a seed");
        assert_eq!(seed.check(), Ok(()));
    }
}
