//! The rules, as one static table, and the judging of facts by them.
//!
//! A rule looks at one resource. The same rules decide while a list is walked what is worth
//! keeping, and afterwards what is a violation, so the verdict does not depend on where a page
//! ended.

mod administrator;
mod filters;
mod invitations;
mod members;
mod session;

use sha2::{Digest, Sha256};

use crate::facts::{Facts, RELATIONSHIP_STATUSES, Resource, ResourceType, Status, Target};

/// How bad a violation is, the worst first.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Severity {
    /// Macie does not watch this target at all.
    Critical,
    /// An account that should be watched is not.
    High,
    /// Findings are suppressed, or may be missed.
    Medium,
    /// Worth a look.
    Low,
}

impl Severity {
    /// Every severity, the worst first.
    pub const ALL: [Severity; 4] = [Severity::Critical, Severity::High, Severity::Medium, Severity::Low];

    /// The severity as the report spells it.
    pub fn as_str(self) -> &'static str {
        match self {
            Severity::Critical => "CRITICAL",
            Severity::High => "HIGH",
            Severity::Medium => "MEDIUM",
            Severity::Low => "LOW",
        }
    }
}

/// One row of the table.
#[derive(Debug)]
pub struct Rule {
    /// Its id, as `DISABLED_RULES` and the report spell it.
    pub id: &'static str,
    /// How bad a violation of it is.
    pub severity: Severity,
    /// What is wrong, in a few words.
    pub title: &'static str,
    /// What to do about it.
    pub remediation: &'static str,
    /// The kind of resource that it looks at.
    pub about: ResourceType,
    /// Whether a resource with this status breaks it.
    pub breaks: fn(&Status) -> bool,
}

/// The table: every rule of this build.
pub fn all() -> impl Iterator<Item = &'static Rule> {
    [session::RULES, administrator::RULES, members::RULES, invitations::RULES, filters::RULES].into_iter().flatten()
}

/// The rules of a run: the table less what `DISABLED_RULES` names.
#[derive(Clone, Debug)]
pub struct Rules(Vec<&'static Rule>);

impl Rules {
    /// The table without the rules that have one of these ids.
    pub fn without(disabled: &[&str]) -> Rules {
        Rules(all().filter(|rule| !disabled.contains(&rule.id)).collect())
    }

    /// The rules in force.
    pub fn iter(&self) -> impl Iterator<Item = &'static Rule> {
        self.0.iter().copied()
    }

    /// Whether any rule has something to say about a resource of this kind and status.
    pub fn flag(&self, kind: ResourceType, status: &Status) -> bool {
        self.broken(kind, status).next().is_some()
    }

    fn broken(&self, kind: ResourceType, status: &Status) -> impl Iterator<Item = &'static Rule> {
        self.iter().filter(move |rule| rule.about == kind && (rule.breaks)(status))
    }

    /// Every violation in the facts, each once, the worst first, then by rule, account, Region
    /// and resource.
    pub fn judge(&self, facts: &[Facts]) -> Vec<Violation> {
        let mut violations: Vec<Violation> = facts
            .iter()
            .flat_map(|facts| facts.flagged.iter().map(move |resource| (&facts.target, resource)))
            .flat_map(|(target, resource)| {
                self.broken(resource.kind, &resource.status).map(|rule| Violation::new(rule, target, resource))
            })
            .collect();
        violations.sort_by(|a, b| a.order().cmp(&b.order()));
        violations.dedup_by(|a, b| a.id == b.id);
        violations
    }
}

/// Something that breaks a rule.
#[derive(Clone, Debug)]
pub struct Violation {
    /// The same for the same account, Region, rule and resource in every run.
    pub id: String,
    /// The rule.
    pub rule: &'static Rule,
    /// Where it was found.
    pub target: Target,
    /// What broke the rule.
    pub resource: Resource,
}

impl Violation {
    fn new(rule: &'static Rule, target: &Target, resource: &Resource) -> Violation {
        let parts = [&target.account_id, &target.region, rule.id, &resource.id];
        Violation { id: fingerprint(&parts), rule, target: target.clone(), resource: resource.clone() }
    }

    fn order(&self) -> (Severity, &str, &Target, &str, &str) {
        (self.rule.severity, self.rule.id, &self.target, &self.resource.id, &self.id)
    }
}

/// A short name for a list of texts that stays the same over runs and builds: the first half of
/// the SHA-256 digest of the texts, each preceded by its length so that no two lists read alike.
pub fn fingerprint(parts: &[&str]) -> String {
    let mut hash = Sha256::new();
    for part in parts {
        hash.update((part.len() as u64).to_be_bytes());
        hash.update(part);
    }
    hash.finalize().iter().take(16).map(|byte| format!("{byte:02x}")).collect()
}

/// Whether a relationship status is absent or not one that this build knows.
fn unrecognized(status: &Status) -> bool {
    match status {
        Status::Is(word) => !RELATIONSHIP_STATUSES.contains(&word.as_str()),
        Status::Absent => true,
        Status::NotEnabled => false,
    }
}

/// Whether the service's word is this one.
fn is(status: &Status, word: &str) -> bool {
    status.word() == Some(word)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn raised(kind: ResourceType, status: &Status) -> Vec<&'static str> {
        let rules = Rules::without(&[]);
        let raised: Vec<_> = rules.broken(kind, status).map(|rule| rule.id).collect();
        assert_eq!(rules.flag(kind, status), !raised.is_empty(), "what is judged is kept, and nothing else");
        raised
    }

    fn word(word: &str) -> Status {
        Status::Is(word.to_owned())
    }

    #[test]
    fn every_status_raises_its_own_rule_or_none() {
        use ResourceType::{Administrator, FindingsFilter, Invitation, Member, Session};
        for (kind, status, id) in [
            (Session, "PAUSED", Some("macie-paused")),
            (Session, "ENABLED", None),
            (Administrator, "AccountSuspended", Some("administrator-account-suspended")),
            (Administrator, "RegionDisabled", Some("administrator-region-disabled")),
            (Administrator, "Enabled", None),
            (Member, "AccountSuspended", Some("member-account-suspended")),
            (Member, "RegionDisabled", Some("member-region-disabled")),
            (Member, "Paused", Some("member-macie-paused")),
            (Member, "PAUSED", Some("member-status-unrecognized")),
            (Invitation, "AccountSuspended", Some("invitation-account-suspended")),
            (Invitation, "RegionDisabled", Some("invitation-region-disabled")),
            (Invitation, "", Some("invitation-status-unrecognized")),
            (FindingsFilter, "ARCHIVE", Some("filter-archives-findings")),
            (FindingsFilter, "NOOP", None),
            (FindingsFilter, "archive", Some("filter-action-unrecognized")),
        ] {
            assert_eq!(raised(kind, &word(status)), Vec::from_iter(id), "{kind:?} {status}");
        }
        let counted = [
            "Enabled",
            "Invited",
            "Created",
            "Removed",
            "Resigned",
            "EmailVerificationInProgress",
            "EmailVerificationFailed",
        ];
        for status in counted {
            assert!(
                raised(Member, &word(status)).is_empty() && raised(Invitation, &word(status)).is_empty(),
                "{status}"
            );
        }
    }

    #[test]
    fn a_status_that_is_absent_is_told_where_a_rule_speaks_of_it() {
        use ResourceType::{Administrator, FindingsFilter, Invitation, Member, Session};
        assert_eq!(raised(Member, &Status::Absent), ["member-status-unrecognized"]);
        assert_eq!(raised(Invitation, &Status::Absent), ["invitation-status-unrecognized"]);
        assert_eq!(raised(FindingsFilter, &Status::Absent), ["filter-action-unrecognized"]);
        assert_eq!(raised(Session, &Status::NotEnabled), ["macie-not-enabled"]);
        for kind in [Administrator, FindingsFilter, Invitation, Member] {
            assert!(raised(kind, &Status::NotEnabled).is_empty(), "{kind:?}");
        }
        assert!(raised(Administrator, &Status::Absent).is_empty() && raised(Session, &Status::Absent).is_empty());
    }

    #[test]
    fn a_rule_that_is_switched_off_says_nothing() {
        let rules = Rules::without(&["member-macie-paused"]);
        assert_eq!(rules.iter().count(), all().count() - 1);
        assert!(!rules.flag(ResourceType::Member, &word("Paused")));
        assert!(rules.flag(ResourceType::Member, &word("RegionDisabled")));
    }

    /// Other programs compute it, and compare it with that of the run before.
    #[test]
    fn an_id_stays_what_it_was() {
        let parts = ["999999999999", "us-east-1", "member-account-suspended", "100000000099"];
        assert_eq!(fingerprint(&parts), "19f4fa3d2d268e68e154e19cf4c7fa85");
        assert_ne!(fingerprint(&["ab", "c"]), fingerprint(&["a", "bc"]));
        assert_eq!(Severity::ALL.map(Severity::as_str), ["CRITICAL", "HIGH", "MEDIUM", "LOW"]);
    }
}
