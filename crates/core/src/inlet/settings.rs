//! The environment, read and checked once at start.

use std::fmt;
use std::time::Duration;

use super::bucket::{self, ObjectUri, Retention};
use super::endpoints;
use crate::checks;
use crate::names::{Regions, Role, Topic, is_account_id, is_external_id, is_region};
use crate::severity::Severity;
use crate::text::plain;

/// How many rules are suggested for one that there is not.
const NEAREST: usize = 3;

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

/// One setting that cannot be used.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Problem {
    /// The environment variable.
    pub variable: &'static str,
    /// Its value, or the item of it that is wrong; `None` when it is not set.
    pub value: Option<String>,
    /// What is expected of it.
    pub expected: String,
}

/// Every setting that cannot be used.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct InvalidSettings(pub Vec<Problem>);

impl fmt::Display for InvalidSettings {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("settings: ")?;
        for (index, problem) in self.0.iter().enumerate() {
            if index > 0 {
                f.write_str("; ")?;
            }
            match &problem.value {
                Some(value) => write!(f, "{}={:?} is not {}", problem.variable, plain(value, 256), problem.expected)?,
                None => write!(f, "{} is not set: expected {}", problem.variable, problem.expected)?,
            }
        }
        Ok(())
    }
}

impl std::error::Error for InvalidSettings {}

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
        let disabled_rules = reader.disabled_rules();
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

/// Reads variables and collects what is wrong with them.
struct Reader<L> {
    lookup: L,
    problems: Vec<Problem>,
}

impl<L: Fn(&str) -> Option<String>> Reader<L> {
    fn value(&self, variable: &str) -> Option<String> {
        (self.lookup)(variable).map(|value| value.trim().to_owned()).filter(|value| !value.is_empty())
    }

    fn problem(&mut self, variable: &'static str, value: Option<String>, expected: impl Into<String>) {
        self.problems.push(Problem { variable, value, expected: expected.into() });
    }

    /// The items of a list separated by commas, each once, in order. A list of nothing is a mistake.
    fn list(&mut self, variable: &'static str, expected: &str) -> Vec<String> {
        let mut items: Vec<String> = Vec::new();
        for item in self.value(variable).iter().flat_map(|value| value.split(',')).map(str::trim) {
            if !item.is_empty() && !items.iter().any(|known| known == item) {
                items.push(item.to_owned());
            }
        }
        if let Some(value) = self.value(variable).filter(|_| items.is_empty()) {
            self.problem(variable, Some(value), expected);
        }
        items
    }

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

    /// A value of a form of its own.
    fn parsed<T>(
        &mut self,
        variable: &'static str,
        expected: &str,
        parse: impl FnOnce(&str) -> Option<T>,
    ) -> Option<T> {
        let value = self.value(variable)?;
        let parsed = parse(&value);
        if parsed.is_none() {
            self.problem(variable, Some(value), expected);
        }
        parsed
    }

    fn flag(&mut self, variable: &'static str, default: bool) -> bool {
        match self.value(variable).as_deref() {
            None => default,
            Some("false") => false,
            Some("true") => true,
            Some(other) => {
                self.problem(variable, Some(other.to_owned()), "`true` or `false`");
                default
            }
        }
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

    fn disabled_rules(&mut self) -> Vec<&'static str> {
        const VARIABLE: &str = "DISABLED_RULES";
        let mut disabled = Vec::new();
        for item in self.list(VARIABLE, "the id of a rule, or the beginning of one and `*`") {
            let named = checks::named(&item);
            if named.is_empty() {
                let expected = expected_rule(&item);
                self.problem(VARIABLE, Some(item), expected);
            }
            disabled.extend(named.iter().map(|check| check.id).filter(|id| !disabled.contains(id)).collect::<Vec<_>>());
        }
        if disabled.len() == checks::all().count() {
            let value = self.value(VARIABLE);
            self.problem(VARIABLE, value, "possible: it switches off every rule");
        }
        disabled
    }

    fn number(&mut self, variable: &'static str, default: u64, allowed: std::ops::RangeInclusive<u64>) -> u64 {
        let Some(value) = self.value(variable) else { return default };
        match value.parse() {
            Ok(number) if allowed.contains(&number) => number,
            _ => {
                let expected = format!("a whole number from {} to {}", allowed.start(), allowed.end());
                self.problem(variable, Some(value), expected);
                default
            }
        }
    }
}

/// What is expected of an entry that names no rule, with the ids that look like it.
fn expected_rule(entry: &str) -> String {
    let (stem, is_beginning) = entry.strip_suffix('*').map_or((entry, false), |stem| (stem, true));
    let mut near: Vec<(usize, &str)> = checks::all()
        .map(|check| {
            let compared = if is_beginning { check.id.get(..stem.len()).unwrap_or(check.id) } else { check.id };
            (distance(&stem.to_ascii_lowercase(), compared), check.id)
        })
        .filter(|(distance, _)| *distance <= stem.len() / 3)
        .collect();
    near.sort_unstable();
    let near: Vec<&str> = near.into_iter().take(NEAREST).map(|(_, id)| id).collect();
    let meant = if near.is_empty() { String::new() } else { format!(": did you mean {}?", near.join(" or ")) };
    format!(
        "the id of a rule, or the beginning of ids with a `*` at the end; docs/reference/checks.md lists them{meant}"
    )
}

/// How many characters have to be added, removed or replaced to make one text of the other.
fn distance(one: &str, other: &str) -> usize {
    let mut row: Vec<usize> = (0..=other.len()).collect();
    for (i, a) in one.bytes().enumerate() {
        let mut diagonal = std::mem::replace(&mut row[0], i + 1);
        for (j, b) in other.bytes().enumerate() {
            let replaced = diagonal + usize::from(a != b);
            diagonal = row[j + 1];
            row[j + 1] = replaced.min(diagonal + 1).min(row[j] + 1);
        }
    }
    row[other.len()]
}

#[cfg(test)]
mod tests {
    use super::*;

    const TOPIC: (&str, &str) = ("REPORT_TOPIC_ARN", "arn:aws:sns:us-east-1:999999999999:reports");
    const REGION: (&str, &str) = ("AWS_REGION", "eu-west-1");

    fn read(variables: &[(&str, &str)]) -> Result<Settings, InvalidSettings> {
        Settings::from_lookup(|name| {
            variables.iter().find(|(known, _)| *known == name).map(|(_, value)| (*value).to_owned())
        })
    }

    fn with(variable: &str, value: &str) -> Result<Settings, InvalidSettings> {
        read(&[TOPIC, REGION, (variable, value)])
    }

    #[test]
    fn the_defaults_are_those_of_the_contract() {
        let settings = read(&[TOPIC, REGION, ("MACIE_REGIONS", " "), ("MAX_CONCURRENCY", "")]).expect("valid");
        assert_eq!(settings.regions, Regions::These(vec!["eu-west-1".into()]));
        assert_eq!((settings.topic.region.as_str(), settings.topic.fifo), ("us-east-1", false));
        assert_eq!((settings.notify_on, settings.fail_on, settings.max_parts), (NotifyOn::Always, Severity::Low, 10));
        assert!(settings.evidence_bucket.is_none() && settings.object_lock.is_none() && settings.exemptions.is_none());
        assert_eq!((settings.max_concurrency, settings.deadline_margin), (64, Duration::from_secs(10)));
        assert!(settings.roles.is_empty() && settings.disabled_rules.is_empty() && !settings.include_emails);
        assert!(settings.audit_own_account && settings.evidence_key.is_none());
    }

    #[test]
    fn every_setting_is_read() {
        assert_eq!(with("MACIE_REGIONS", "all").expect("valid").regions, Regions::All);
        assert_eq!(
            with("MACIE_REGIONS", "eu-west-1, us-east-1,eu-west-1").expect("valid").regions,
            Regions::These(vec!["eu-west-1".into(), "us-east-1".into()])
        );
        assert_eq!(with("NOTIFY_ON", "problems").expect("valid").notify_on, NotifyOn::Problems);
        let kept = |variable, value| read(&[TOPIC, REGION, ("EVIDENCE_BUCKET", "evidence"), (variable, value)]);
        assert_eq!(kept("NOTIFY_ON", "changes").expect("valid").notify_on, NotifyOn::Changes);
        assert!(kept("EVIDENCE_OBJECT_LOCK", "COMPLIANCE:400").expect("valid").object_lock.is_some());
        assert_eq!(with("FAIL_ON", "HIGH").expect("valid").fail_on, Severity::High);
        assert_eq!(with("MAX_PARTS", "1").expect("valid").max_parts, 1);
        let uri = with("EXEMPTIONS_URI", "s3://evidence/a/exemptions.json").expect("valid").exemptions;
        assert_eq!(uri.expect("an address").to_string(), "s3://evidence/a/exemptions.json");
        assert!(with("INCLUDE_EMAILS", "true").expect("valid").include_emails);
        assert_eq!(with("MAX_CONCURRENCY", "8").expect("valid").max_concurrency, 8);
        assert_eq!(with("DEADLINE_MARGIN_SECONDS", "3").expect("valid").deadline_margin, Duration::from_secs(3));
        assert_eq!(with("DISABLED_RULES", "macie-paused").expect("valid").disabled_rules, ["macie-paused"]);
        assert_eq!(
            with("DISABLED_RULES", "macie-paused,macie-*").expect("valid").disabled_rules,
            ["macie-paused", "macie-not-enabled"]
        );
        let key = "arn:aws:kms:us-east-1:111122223333:key/0123-abcd";
        assert_eq!(with("EVIDENCE_KMS_KEY_ARN", key).expect("valid").evidence_key.as_deref(), Some(key));
        assert!(with("EVIDENCE_KMS_KEY_ARN", "arn:aws:kms:us-east-1:111122223333:alias/evidence_1").is_ok());
        let alone =
            [TOPIC, REGION, ("AUDIT_OWN_ACCOUNT", "false"), ("MACIE_ROLE_ARNS", "arn:aws:iam::111122223333:role/m")];
        assert!(!read(&alone).expect("valid").audit_own_account);
        let roles = read(&[
            TOPIC,
            REGION,
            ("MACIE_ROLE_ARNS", "arn:aws:iam::111122223333:role/audit/macie,arn:aws:iam::444455556666:role/m"),
            ("MACIE_ROLE_EXTERNAL_IDS", "111122223333=s3cr:et=="),
        ]);
        let roles = roles.expect("valid").roles;
        assert_eq!(roles[0].external_id.as_deref(), Some("s3cr:et=="));
        assert_eq!((roles[1].account_id.as_str(), roles[1].external_id.as_deref()), ("444455556666", None));
        assert!(
            read(&[("REPORT_TOPIC_ARN", "arn:aws:sns:us-east-1:999999999999:reports.fifo"), REGION])
                .expect("valid")
                .topic
                .fifo
        );
    }

    #[test]
    fn one_message_names_every_problem_with_variable_and_value() {
        let problems = read(&[
            ("MACIE_REGIONS", "eu-west-1,Mars,all"),
            ("MACIE_ROLE_ARNS", "arn:aws:iam::12:role/x"),
            ("NOTIFY_ON", "never\u{1b}[2J"),
            ("DISABLED_RULES", "no-such-rule"),
            ("MAX_CONCURRENCY", "0"),
            ("DEADLINE_MARGIN_SECONDS", "ten"),
        ])
        .expect_err("nothing here is valid");
        let message = problems.to_string();
        for part in [
            "REPORT_TOPIC_ARN is not set",
            "AWS_REGION is not set",
            "MACIE_REGIONS=\"Mars\"",
            "MACIE_REGIONS=\"all\"",
            "MACIE_ROLE_ARNS=\"arn:aws:iam::12:role/x\"",
            "NOTIFY_ON=\"never",
            "DISABLED_RULES=\"no-such-rule\"",
            "MAX_CONCURRENCY=\"0\"",
            "DEADLINE_MARGIN_SECONDS=\"ten\"",
        ] {
            assert!(message.contains(part), "{part} in {message}");
        }
        assert!(!message.contains('\u{1b}'));
    }

    #[test]
    fn a_rule_that_there_is_not_is_answered_with_those_that_look_like_it() {
        let told = |entry: &str| with("DISABLED_RULES", entry).expect_err(entry).to_string();
        for (entry, meant) in [
            ("filter-archive-findings", ": did you mean filter-archives-findings?"),
            ("Macie-Paused", ": did you mean macie-paused?"),
            ("member-region-disable", ": did you mean member-region-disabled?"),
            ("membr-*", ": did you mean member-account-suspended or member-macie-paused or member-region-disabled?"),
            ("suspended-members", "lists them"),
            ("é*", "lists them"),
            ("a-beginning-that-is-longer-than-the-id-of-every-rule-*", "lists them"),
        ] {
            let told = told(entry);
            assert!(told.contains("docs/reference/checks.md lists them") && told.ends_with(meant), "{told}");
        }
    }

    #[test]
    fn the_distance_of_texts_is_the_number_of_changes() {
        for (one, other, changes) in [
            ("", "", 0),
            ("", "abc", 3),
            ("abc", "", 3),
            ("abc", "abc", 0),
            ("abc", "xbc", 1),
            ("kitten", "sitting", 3),
        ] {
            assert_eq!(distance(one, other), changes, "{one} {other}");
        }
    }

    #[test]
    fn a_wrong_external_id_is_told_as_what_is_wrong_with_it() {
        let role = ("MACIE_ROLE_ARNS", "arn:aws:iam::111122223333:role/x");
        let long = format!("111122223333={}", "x".repeat(1225));
        for (item, expected) in [
            ("111122223333", "ACCOUNT=EXTERNAL_ID"),
            ("1111=secret", "ACCOUNT=EXTERNAL_ID"),
            ("111122223333=", "at least 2 characters"),
            ("111122223333=s", "at least 2 characters"),
            (&long, "at most 1,224 characters"),
            ("111122223333=se cret", "letters, digits and"),
            ("444455556666=secret", "for the account of a role in MACIE_ROLE_ARNS"),
            ("111122223333=one,111122223333=two", "the only external id for its account"),
        ] {
            let problems = read(&[TOPIC, REGION, role, ("MACIE_ROLE_EXTERNAL_IDS", item)]).expect_err(item).0;
            assert_eq!(problems.len(), 1, "{item}");
            assert!(problems[0].expected.contains(expected), "{item}: {}", problems[0].expected);
        }
    }

    #[test]
    fn what_is_malformed_is_refused() {
        for (variable, value) in [
            ("REPORT_TOPIC_ARN", "arn:aws:sqs:us-east-1:999999999999:reports"),
            ("REPORT_TOPIC_ARN", "arn:aws:sns:us-east-1:999:reports"),
            ("REPORT_TOPIC_ARN", "arn:aws:sns:us-east-1:999999999999:re ports"),
            ("REPORT_TOPIC_ARN", "arn:aws:sns:us-east-1:999999999999:.fifo"),
            ("MACIE_REGIONS", ","),
            ("MACIE_ROLE_ARNS", " , "),
            ("MACIE_ROLE_EXTERNAL_IDS", ","),
            ("EXPECTED_ADMINISTRATOR", ","),
            ("DISABLED_RULES", ",,"),
            ("MACIE_ROLE_ARNS", "arn:aws:iam::111122223333:user/x"),
            ("MACIE_ROLE_ARNS", "arn:aws:iam::111122223333:role/"),
            ("MACIE_ROLE_EXTERNAL_IDS", "111122223333=secret"),
            ("MACIE_ROLE_EXTERNAL_IDS", "secret"),
            ("MACIE_ROLE_ARNS", "arn:aws:iam::111122223333:role/x,arn:aws:iam::111122223333:role/y"),
            ("MAX_CONCURRENCY", "-1"),
            ("DEADLINE_MARGIN_SECONDS", "1.5"),
            ("INCLUDE_EMAILS", "yes"),
            ("EVIDENCE_BUCKET", "my.bucket"),
            ("EVIDENCE_BUCKET", "-x-"),
            ("EXEMPTIONS_URI", "https://evidence/exemptions.json"),
            ("EXEMPTIONS_URI", "s3://evidence"),
            ("EXEMPTIONS_URI", "s3://evidence/"),
            ("EXEMPTIONS_URI", "s3://my.bucket/a"),
            ("EVIDENCE_OBJECT_LOCK", "GOVERNANCE"),
            ("EVIDENCE_OBJECT_LOCK", "COMPLIANCE:400"),
            ("FAIL_ON", "high"),
            ("MAX_PARTS", "0"),
            ("NOTIFY_ON", "changes"),
            ("AUDIT_OWN_ACCOUNT", "no"),
            ("AUDIT_OWN_ACCOUNT", "false"),
            ("DISABLED_RULES", "no-such-*"),
            ("DISABLED_RULES", "*"),
            (
                "DISABLED_RULES",
                "macie-*,administrator-*,member-*,invitation-*,filter-*,roster-*,discovery-*,allow-list-*,job-*,bucket-*,publication-*,results-*",
            ),
            ("EXPECTED_ADMINISTRATOR", "111122223333,12"),
            ("EVIDENCE_KMS_KEY_ARN", "0123abcd"),
            ("EVIDENCE_KMS_KEY_ARN", "arn:aws:kms:us-east-1:111122223333:key/"),
            ("EVIDENCE_KMS_KEY_ARN", "arn:aws:kms:nowhere:111122223333:key/a"),
            ("EVIDENCE_KMS_KEY_ARN", "arn:aws:kms:us-east-1:1111:key/a"),
            ("EVIDENCE_KMS_KEY_ARN", "arn:aws:iam:us-east-1:111122223333:key/a"),
            ("EVIDENCE_KMS_KEY_ARN", "arn:aws:kms:us-east-1:111122223333:key/a b"),
        ] {
            let result = read(&[(variable, value), TOPIC, REGION]);
            let problems = result.expect_err(value).0;
            assert_eq!(problems.iter().map(|p| p.variable).collect::<Vec<_>>(), [variable], "{value}");
        }
    }
}
