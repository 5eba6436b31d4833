//! What Macie holds for one account in one Region.

use std::collections::BTreeMap;

use serde::Deserialize;
use serde_json::{Map, Value};

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
    /// The account's administrator relationship; the field is absent in the answer when this is. An account that has
    /// one is a member account, and Macie does not let it look at discovery or at the organization.
    pub administrator: Option<Value>,
    /// The fields of DescribeOrganizationConfiguration that differ from those of an organization whose new accounts
    /// are enabled. When it is absent, only an account that has members and no administrator is answered.
    pub organization: Option<Map<String, Value>>,
    /// The fields of GetAutomatedDiscoveryConfiguration that differ from discovery enabled for all accounts.
    pub discovery: Map<String, Value>,
    /// What ListAutomatedDiscoveryAccounts answers differently, by account id: a status, or null for one that is not
    /// there. Others are the account itself and its members that are `Enabled`, with the status of discovery.
    pub discovery_accounts: BTreeMap<String, Value>,
    /// The buckets in GetClassificationScope: names, or `count` for as many.
    pub excluded_buckets: Vec<Value>,
    /// The fields of GetSensitivityInspectionTemplate that differ from a template that changes nothing.
    pub discovery_template: Map<String, Value>,
    /// What ListManagedDataIdentifiers answers, if it is not an extract of the real list.
    pub managed_data_identifiers: Option<Vec<Value>>,
    /// What ListAllowLists and GetAllowList answer; `now` is what GetAllowList answers differently.
    pub allow_lists: Vec<Value>,
    /// What ListClassificationJobs and DescribeClassificationJob answer; `now` is what the latter answers differently.
    pub jobs: Vec<Value>,
    /// What DescribeBuckets answers.
    pub buckets: Vec<Value>,
    /// The fields of GetFindingsPublicationConfiguration that differ from both being published.
    pub publication: Map<String, Value>,
    /// The fields of the destination in GetClassificationExportConfiguration that differ from an ordinary one, or null
    /// for no configuration.
    pub export: Value,
    /// The operations that are refused, and how.
    pub refused: BTreeMap<String, Refusal>,
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
            organization: None,
            discovery: Map::new(),
            discovery_accounts: BTreeMap::new(),
            excluded_buckets: Vec::new(),
            discovery_template: Map::new(),
            managed_data_identifiers: None,
            allow_lists: Vec::new(),
            jobs: Vec::new(),
            buckets: Vec::new(),
            publication: Map::new(),
            export: Value::Object(Map::new()),
            refused: BTreeMap::new(),
        }
    }
}

impl TargetSeed {
    pub(super) fn check(&self) -> Result<(), String> {
        let of_discovery =
            [self.discovery.is_empty(), self.discovery_accounts.is_empty(), self.excluded_buckets.is_empty()];
        let none = of_discovery == [true; 3] && self.discovery_template.is_empty() && self.organization.is_none();
        if self.administrator.is_some() && !none {
            return Err(
                "a member account, which has an administrator, is never told of discovery or organization".to_owned()
            );
        }
        match self.refused.keys().find(|api| !crate::routes::exists(api)) {
            Some(api) => Err(format!("the unknown API {api} is refused")),
            None => Ok(()),
        }
    }
}

/// The three meanings of Macie's AccessDeniedException, which only the message tells apart.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "camelCase")]
pub enum Refusal {
    /// Macie is not enabled.
    NotEnabled,
    /// The account is not the Macie administrator of an organization.
    NotAdministrator,
    /// The caller's policies do not allow it.
    Permission,
}
