//! The environment, read and checked once at start.

use std::time::Duration;

use super::bucket::{self, ObjectUri, Retention};
use super::reader::Reader;
use super::{disabled, endpoints};
use crate::names::{Regions, Role, Topic, is_account_id, is_external_id, is_region};
use crate::severity::Severity;

pub use super::reader::{InvalidSettings, Problem};

/// Everything that a user can set, checked.
#[derive(Clone, Debug)]
pub struct Settings {
    /// Where reports go (`REPORT_TOPIC_ARN`).
    pub topic: Topic,
    /// The Region that the function runs in (`AWS_REGION`, which Lambda sets).
    pub own_region: String,
    /// The Regions to audit (`MACIE_REGIONS`).
    pub regions: Regions,
    /// The roles in other administrator accounts (`MACIE_ROLE_ARNS`).
    pub roles: Vec<Role>,
    /// When to publish (`NOTIFY_ON`).
    pub notify_on: NotifyOn,
    /// The ids of the rules that are not to be judged (`DISABLED_RULES`).
    pub disabled_rules: Vec<&'static str>,
    /// Requests in flight at once, over all targets (`MAX_CONCURRENCY`).
    pub max_concurrency: usize,
    /// Time kept before the Lambda deadline to publish (`DEADLINE_MARGIN_SECONDS`).
    pub deadline_margin: Duration,
    /// The Macie administrators that are expected (`EXPECTED_ADMINISTRATOR`); none where it is not set.
    pub expected_administrators: Vec<String>,
    /// The least severity that makes a verdict `NON_COMPLIANT` (`FAIL_ON`).
    pub fail_on: Severity,
    /// The bucket for reports, for what the last run found and for the documents of a divided run
    /// (`EVIDENCE_BUCKET`).
    pub evidence_bucket: Option<String>,
    /// The key that encrypts what is written to the bucket (`EVIDENCE_KMS_KEY_ARN`); without one S3's
    /// own.
    pub evidence_key: Option<String>,
    /// For how long nobody may delete a stored report (`EVIDENCE_OBJECT_LOCK`).
    pub object_lock: Option<Retention>,
    /// The exemptions document (`EXEMPTIONS_URI`).
    pub exemptions: Option<ObjectUri>,
    /// The most messages of one report whose evidence is stored (`MAX_PARTS`).
    pub max_parts: usize,
    /// Whether the account that the function runs in is audited (`AUDIT_OWN_ACCOUNT`).
    pub audit_own_account: bool,
    /// Whether the report names flagged members by their e-mail addresses too (`INCLUDE_EMAILS`).
    pub include_emails: bool,
}

/// When a report is published.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum NotifyOn {
    /// After every run.
    Always,
    /// Only when the verdict is not `COMPLIANT`, or something was resolved.
    Problems,
    /// Only when the report says something that the last one did not.
    Changes,
}

impl Settings {
    /// Reads the settings through a lookup by variable name. A variable that is empty or blank
    /// counts as unset, since a template cannot leave one out.
    ///
    /// # Errors
    /// Every problem of every variable, not only the first.
    pub fn from_lookup(lookup: impl Fn(&str) -> Option<String>) -> Result<Settings, InvalidSettings> {
        let mut reader = Reader { lookup, problems: Vec::new() };
        let topic = reader.topic();
        let own_region = reader.own_region();
        let regions = reader.regions(&own_region);
        let roles = reader.roles();
        let audit_own_account = reader.audit_own_account(&roles);
        let expected_administrators = reader.expected_administrators();
        let evidence_bucket = reader.parsed("EVIDENCE_BUCKET", bucket::NAME, bucket::name);
        let has_bucket = reader.value("EVIDENCE_BUCKET").is_some();
        let notify_on = reader.notify_on(has_bucket);
        let fail_on = reader.fail_on();
        let disabled_rules = disabled::read(&mut reader);
        let max_concurrency = reader.number("MAX_CONCURRENCY", 64, 1..=1000) as usize;
        let deadline_margin = Duration::from_secs(reader.number("DEADLINE_MARGIN_SECONDS", 10, 0..=600));
        let evidence_key = reader.parsed("EVIDENCE_KMS_KEY_ARN", bucket::KEY_ARN, bucket::key_arn);
        let object_lock = reader.object_lock(has_bucket);
        let exemptions = reader.parsed("EXEMPTIONS_URI", bucket::URI, ObjectUri::parse);
        let max_parts = reader.number("MAX_PARTS", 10, 1..=1000) as usize;
        let include_emails = reader.flag("INCLUDE_EMAILS", false);
        reader.problems.extend(endpoints::problems(|variable| reader.value(variable)));
        match topic {
            Some(topic) if reader.problems.is_empty() => Ok(Settings {
                topic,
                own_region,
                regions,
                roles,
                audit_own_account,
                notify_on,
                disabled_rules,
                max_concurrency,
                deadline_margin,
                expected_administrators,
                fail_on,
                evidence_bucket,
                evidence_key,
                object_lock,
                exemptions,
                max_parts,
                include_emails,
            }),
            _ => Err(InvalidSettings(reader.problems)),
        }
    }

    /// Whether the settings name a role in this account.
    pub fn has_role_in(&self, account_id: &str) -> bool {
        self.roles.iter().any(|role| role.account_id == account_id)
    }
}

impl<L: Fn(&str) -> Option<String>> Reader<L> {
    fn topic(&mut self) -> Option<Topic> {
        const VARIABLE: &str = "REPORT_TOPIC_ARN";
        const EXPECTED: &str = "the ARN of an SNS topic, such as arn:aws:sns:us-east-1:111122223333:reports";
        let value = self.value(VARIABLE);
        let topic = value.as_deref().and_then(Topic::parse);
        if topic.is_none() {
            self.problem(VARIABLE, value, EXPECTED);
        }
        topic
    }

    fn own_region(&mut self) -> String {
        const EXPECTED: &str = "the code of a Region, such as eu-west-1";
        let value = self.value("AWS_REGION").or_else(|| self.value("AWS_DEFAULT_REGION"));
        match value {
            Some(region) if is_region(&region) => region,
            value => {
                self.problem("AWS_REGION", value, EXPECTED);
                String::new()
            }
        }
    }

    fn regions(&mut self, own: &str) -> Regions {
        const VARIABLE: &str = "MACIE_REGIONS";
        let items = self.list(VARIABLE, "a list of Region codes separated by commas, or `all`");
        if items == ["all"] {
            return Regions::All;
        }
        if items.is_empty() {
            return Regions::These(vec![own.to_owned()]);
        }
        for item in items.iter().filter(|item| !is_region(item)) {
            self.problem(VARIABLE, Some(item.clone()), "the code of a Region, such as eu-west-1, or `all` alone");
        }
        Regions::These(items)
    }

    fn roles(&mut self) -> Vec<Role> {
        const VARIABLE: &str = "MACIE_ROLE_ARNS";
        const EXPECTED: &str = "the ARN of an IAM role, such as arn:aws:iam::111122223333:role/macie-compliance-audit";
        let mut roles: Vec<Role> = Vec::new();
        for item in self.list(VARIABLE, EXPECTED) {
            match Role::parse(&item) {
                None => self.problem(VARIABLE, Some(item), EXPECTED),
                Some(role) if roles.iter().any(|known| known.account_id == role.account_id) => {
                    self.problem(VARIABLE, Some(item), "the only role of its account, which is audited once");
                }
                Some(role) => roles.push(role),
            }
        }
        self.external_ids(&mut roles);
        roles
    }

    /// Each external id goes to the role of its account.
    fn external_ids(&mut self, roles: &mut [Role]) {
        const VARIABLE: &str = "MACIE_ROLE_EXTERNAL_IDS";
        const EXPECTED: &str = "ACCOUNT=EXTERNAL_ID, such as 111122223333=an-external-id";
        for item in self.list(VARIABLE, EXPECTED) {
            let expected = match item.split_once('=').filter(|(account, _)| is_account_id(account)) {
                None => EXPECTED,
                Some((_, id)) if id.len() < 2 => "valid: an external id has at least 2 characters",
                Some((_, id)) if id.len() > 1224 => "valid: an external id has at most 1,224 characters",
                Some((_, id)) if !is_external_id(id) => "valid: an external id has letters, digits and _+=.@:/- only",
                Some((account, id)) => match roles.iter_mut().find(|role| role.account_id == account) {
                    None => "for the account of a role in MACIE_ROLE_ARNS",
                    Some(role) if role.external_id.is_some() => "the only external id for its account",
                    Some(role) => {
                        role.external_id = Some(id.to_owned());
                        continue;
                    }
                },
            };
            self.problem(VARIABLE, Some(item), expected);
        }
    }

    fn expected_administrators(&mut self) -> Vec<String> {
        const VARIABLE: &str = "EXPECTED_ADMINISTRATOR";
        const EXPECTED: &str = "the id of an account, such as 111122223333";
        let items = self.list(VARIABLE, EXPECTED);
        for item in items.iter().filter(|item| !is_account_id(item)) {
            self.problem(VARIABLE, Some(item.clone()), EXPECTED);
        }
        items
    }

    fn notify_on(&mut self, has_bucket: bool) -> NotifyOn {
        const VARIABLE: &str = "NOTIFY_ON";
        let parse = |value: &str| match value {
            "always" => Some(NotifyOn::Always),
            "problems" => Some(NotifyOn::Problems),
            "changes" => Some(NotifyOn::Changes),
            _ => None,
        };
        let notify_on = self.parsed(VARIABLE, "`always`, `problems` or `changes`", parse).unwrap_or(NotifyOn::Always);
        if notify_on == NotifyOn::Changes && !has_bucket {
            let expected = "possible without EVIDENCE_BUCKET: nothing is known of the last run";
            self.problem(VARIABLE, self.value(VARIABLE), expected);
        }
        notify_on
    }

    fn fail_on(&mut self) -> Severity {
        let parse = |value: &str| Severity::ALL.into_iter().find(|severity| severity.as_str() == value);
        self.parsed("FAIL_ON", "`CRITICAL`, `HIGH`, `MEDIUM` or `LOW`", parse).unwrap_or(Severity::Low)
    }

    fn object_lock(&mut self, has_bucket: bool) -> Option<Retention> {
        const VARIABLE: &str = "EVIDENCE_OBJECT_LOCK";
        let retention = self.parsed(VARIABLE, bucket::RETENTION, Retention::parse);
        if retention.is_some() && !has_bucket {
            self.problem(VARIABLE, self.value(VARIABLE), "possible without EVIDENCE_BUCKET: nothing is stored");
        }
        retention
    }

    fn audit_own_account(&mut self, roles: &[Role]) -> bool {
        const VARIABLE: &str = "AUDIT_OWN_ACCOUNT";
        let audit = self.flag(VARIABLE, true);
        if !audit && roles.is_empty() {
            let value = self.value(VARIABLE);
            self.problem(VARIABLE, value, "possible without MACIE_ROLE_ARNS: no account would be audited");
        }
        audit
    }
}
