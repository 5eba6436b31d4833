//! What the simulator holds and how it misbehaves, as read from a JSON file or built in a test.

use std::collections::BTreeMap;
use std::path::Path;
use std::{fs, io};

use serde::Deserialize;
use serde_json::Value;

pub use fault::{Fault, FaultKind};
pub use target::{Refusal, TargetSeed};

mod fault;
mod target;

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
    /// What Organizations tells the accounts that are named here. Others are told what fits their targets.
    pub organizations: BTreeMap<String, OrganizationSeed>,
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
            organizations: BTreeMap::new(),
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
            target.check()?;
        }
        if let Some(account) = self.organizations.keys().find(|account| !is_account(account)) {
            return Err(format!("account {account:?} of an organization is not 12 digits"));
        }
        if !(1..=25).contains(&self.paging.max_page) {
            return Err(format!("maxPage {} is not from 1 to 25", self.paging.max_page));
        }
        self.faults.iter().try_for_each(Fault::check)
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

/// What Organizations tells one account.
#[derive(Debug, Clone, Deserialize)]
#[serde(default, rename_all = "camelCase", deny_unknown_fields)]
pub struct OrganizationSeed {
    /// Whether the account is in an organization; when not, Organizations says so.
    pub in_use: bool,
    /// All that ListAccounts answers; when absent, the account itself and those members that are `Enabled` in all of
    /// its targets.
    pub accounts: Option<Vec<Value>>,
    /// Accounts beside those.
    pub more_accounts: Vec<Value>,
    /// The management account, which stands in the ARN of every account; the calling account when absent.
    pub management_account: Option<String>,
    /// The fields that tell the state of an account.
    pub spelling: Spelling,
}

impl Default for OrganizationSeed {
    fn default() -> OrganizationSeed {
        OrganizationSeed {
            in_use: true,
            accounts: None,
            more_accounts: Vec::new(),
            management_account: None,
            spelling: Spelling::default(),
        }
    }
}

/// How Organizations tells the state of an account: `Status` was retired on 9 September 2026.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "camelCase")]
pub enum Spelling {
    /// `State` alone.
    #[default]
    State,
    /// `Status` alone.
    Status,
    /// Both.
    Both,
    /// Neither.
    Neither,
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
