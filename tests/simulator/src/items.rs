//! What Macie holds for a target, rendered to JSON once so that a page costs next to nothing.

use std::collections::{BTreeMap, HashMap, HashSet};

use serde_json::{Map, Value, json};

use crate::buckets::Buckets;
use crate::catalog::Catalog;
use crate::discovery::Discovery;
use crate::jobs::Jobs;
use crate::seed::{Refusal, TargetSeed};
use crate::statistics::Findings;
use crate::wire::uuid;
use crate::{allow_lists, filters, settings};

/// When most things came to be.
pub(crate) const LONG_AGO: &str = "2026-01-05T08:00:00Z";

/// When most things were changed.
pub(crate) const RECENTLY: &str = "2026-11-01T00:00:00Z";

/// Statuses of relationships that are not a current membership, which ListMembers leaves out by default.
const NOT_CURRENT: [&str; 6] =
    ["Created", "EmailVerificationFailed", "EmailVerificationInProgress", "Invited", "Removed", "Resigned"];

/// One account in one Region.
#[derive(Debug)]
pub(crate) struct Target {
    pub(crate) enabled: bool,
    pub(crate) not_enabled_status: u16,
    pub(crate) session: String,
    pub(crate) members: Vec<String>,
    /// The members that are current, as ListMembers gives them unless it is asked for all.
    pub(crate) current_members: Vec<String>,
    pub(crate) invitations: Vec<String>,
    pub(crate) filters: Catalog,
    pub(crate) findings: Findings,
    pub(crate) administrator: Option<String>,
    pub(crate) role: Role,
    pub(crate) organization: String,
    pub(crate) discovery: Discovery,
    pub(crate) allow_lists: Catalog,
    pub(crate) jobs: Jobs,
    pub(crate) buckets: Buckets,
    pub(crate) publication: String,
    pub(crate) export: String,
    pub(crate) refused: BTreeMap<String, Refusal>,
    /// The members that are `Enabled`.
    pub(crate) watched: Vec<String>,
    pub(crate) place: Place,
    member_places: HashMap<String, usize>,
    member_now: BTreeMap<String, Value>,
}

/// What an account is to Macie.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Role {
    Administrator,
    Member,
    Standalone,
}

impl Role {
    fn of(seed: &TargetSeed) -> Role {
        match (&seed.administrator, &seed.organization) {
            (Some(_), _) => Role::Member,
            (None, None) if seed.members.is_empty() => Role::Standalone,
            (None, _) => Role::Administrator,
        }
    }
}

/// Where a target is.
#[derive(Debug, Clone)]
pub(crate) struct Place {
    pub(crate) account: String,
    pub(crate) region: String,
}

impl Target {
    pub(crate) fn render(seed: &TargetSeed, account: &str, region: &str) -> Target {
        let place = Place { account: account.to_owned(), region: region.to_owned() };
        let members = expand(&seed.members, "accountId", account_id(1), |id, _| place.member(id));
        let invitations = expand(&seed.invitations, "accountId", account_id(2), invitation);
        let watched = watched(&members);
        let session = filled(seed.session.clone(), || place.session());
        let administrator = seed.administrator.as_ref().map(|given| match given {
            Value::Object(given) => {
                let given = filled(given.clone(), || invitation("888888888888", 0));
                Value::Object(given).to_string()
            }
            other => other.to_string(),
        });
        Target {
            enabled: seed.enabled,
            not_enabled_status: seed.not_enabled_status,
            session: Value::Object(session).to_string(),
            current_members: texts(members.iter().filter(|member| is_current(member))),
            member_places: by_id(&members, "accountId").collect(),
            members: texts(members.iter()),
            invitations: texts(invitations.iter()),
            filters: filters::render(&seed.findings_filters, &place),
            findings: Findings::render(&seed.findings, &place),
            administrator,
            role: Role::of(seed),
            organization: settings::organization(seed.organization.as_ref()),
            discovery: Discovery::render(seed, [account].into_iter().chain(watched.iter().map(String::as_str))),
            allow_lists: allow_lists::render(&seed.allow_lists, &place),
            jobs: Jobs::render(&seed.jobs, &place),
            buckets: Buckets::render(&seed.buckets, &place),
            publication: settings::publication(&seed.publication),
            export: settings::export(&seed.export, &place),
            refused: seed.refused.clone(),
            watched,
            member_now: seed.member_now.clone(),
            place,
        }
    }

    /// What GetMember answers: the member as listed, with the changes that came since.
    pub(crate) fn member(&self, id: &str) -> Option<String> {
        let listed = self.member_places.get(id).map(|at| &self.members[*at]);
        let changes = match self.member_now.get(id) {
            None => return listed.cloned(),
            Some(Value::Object(changes)) => changes.clone(),
            Some(_) => return None,
        };
        let listed = listed.and_then(|text| serde_json::from_str(text).ok());
        let member = filled(changes, || match listed {
            Some(Value::Object(listed)) => listed,
            _ => self.place.member(id),
        });
        Some(Value::Object(member).to_string())
    }
}

impl Place {
    /// The ARN of something in Macie.
    pub(crate) fn arn(&self, resource: &str) -> String {
        let Place { account, region } = self;
        format!("arn:aws:macie2:{region}:{account}:{resource}")
    }

    fn member(&self, id: &str) -> Map<String, Value> {
        let account = &self.account;
        object(json!({
            "accountId": id,
            "administratorAccountId": account,
            "arn": self.arn(&format!("member/{id}")),
            "email": format!("member-{id}@example.com"),
            "invitedAt": LONG_AGO,
            "masterAccountId": account,
            "relationshipStatus": "Enabled",
            "tags": {},
            "updatedAt": RECENTLY,
        }))
    }

    fn session(&self) -> Map<String, Value> {
        let account = &self.account;
        object(json!({
            "createdAt": LONG_AGO,
            "findingPublishingFrequency": "FIFTEEN_MINUTES",
            "serviceRole": format!(
                "arn:aws:iam::{account}:role/aws-service-role/macie.amazonaws.com/AWSServiceRoleForAmazonMacie"
            ),
            "status": "ENABLED",
            "updatedAt": RECENTLY,
        }))
    }
}

fn invitation(sender: &str, number: u64) -> Map<String, Value> {
    object(json!({
        "accountId": sender,
        "invitationId": uuid(3, number).replace('-', ""),
        "invitedAt": LONG_AGO,
        "relationshipStatus": if number == 0 { "Enabled" } else { "Invited" },
    }))
}

/// Account ids of 12 digits that begin with a digit of their own.
pub(crate) fn account_id(kind: u64) -> impl Fn(u64) -> String {
    move |number| format!("{}", kind * 100_000_000_000 + number)
}

/// Makes the items that a seed's list stands for, each with an id of its own.
pub(crate) fn expand(
    seeds: &[Value],
    id_name: &str,
    new_id: impl Fn(u64) -> String,
    defaults: impl Fn(&str, u64) -> Map<String, Value>,
) -> Vec<Value> {
    let given: HashSet<&str> = seeds.iter().filter_map(|seed| seed.get(id_name)?.as_str()).collect();
    let mut number = 0;
    let mut fresh = || loop {
        number += 1;
        let id = new_id(number);
        if !given.contains(id.as_str()) {
            return (id, number);
        }
    };
    let mut items = Vec::new();
    for seed in seeds {
        // Something that is no object is a mistake that a test wants to see answered.
        let Value::Object(seed) = seed else {
            items.push(seed.clone());
            continue;
        };
        let mut seed = seed.clone();
        let count = seed.remove("count").and_then(|count| count.as_u64());
        for _ in 0..count.unwrap_or(1) {
            items.push(Value::Object(filled(seed.clone(), || {
                let (id, number) = fresh();
                let given = seed.get(id_name).and_then(Value::as_str);
                defaults(given.unwrap_or(&id), number)
            })));
        }
    }
    items
}

/// Fills the gaps of an item, unless it asks to be left as it is.
pub(crate) fn filled(
    mut item: Map<String, Value>,
    defaults: impl FnOnce() -> Map<String, Value>,
) -> Map<String, Value> {
    if item.remove("raw") == Some(Value::Bool(true)) {
        return item;
    }
    let mut whole = defaults();
    whole.extend(item);
    whole
}

fn watched(members: &[Value]) -> Vec<String> {
    let enabled = members.iter().filter(|member| member.get("relationshipStatus") == Some(&json!("Enabled")));
    enabled.filter_map(|member| Some(member.get("accountId")?.as_str()?.to_owned())).collect()
}

fn is_current(member: &Value) -> bool {
    let status = member.get("relationshipStatus").and_then(Value::as_str);
    status.is_none_or(|status| !NOT_CURRENT.contains(&status))
}

fn by_id(items: &[Value], name: &str) -> impl Iterator<Item = (String, usize)> {
    let ids = items.iter().enumerate();
    ids.filter_map(move |(at, item)| Some((item.get(name)?.as_str()?.to_owned(), at)))
}

pub(crate) fn texts<'a>(items: impl Iterator<Item = &'a Value>) -> Vec<String> {
    items.map(Value::to_string).collect()
}

pub(crate) fn object(value: Value) -> Map<String, Value> {
    match value {
        Value::Object(map) => map,
        _ => Map::new(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn render(seed: &TargetSeed) -> Target {
        Target::render(seed, "999999999999", "eu-west-1")
    }

    fn parsed(texts: &[String]) -> Vec<Value> {
        let parse = |text: &String| serde_json::from_str(text).expect("valid JSON");
        texts.iter().map(parse).collect()
    }

    #[test]
    fn a_count_becomes_as_many_distinct_members() {
        let target = render(&TargetSeed {
            members: vec![
                json!({"count": 300, "relationshipStatus": "Enabled"}),
                json!({"accountId": "100000000007", "relationshipStatus": "Paused"}),
                json!({"count": 2, "relationshipStatus": "Removed"}),
            ],
            ..TargetSeed::default()
        });
        let members = parsed(&target.members);
        let ids: HashSet<&str> = members.iter().filter_map(|member| member["accountId"].as_str()).collect();
        assert_eq!((members.len(), ids.len()), (303, 303));
        assert!(ids.iter().all(|id| id.len() == 12));
        assert_eq!(target.current_members.len(), 301);
        assert_eq!(members[300]["arn"], "arn:aws:macie2:eu-west-1:999999999999:member/100000000007");
        assert!(members.iter().all(|member| member.get("count").is_none()));
    }

    #[test]
    fn a_raw_item_stays_as_it_is() {
        let target = render(&TargetSeed {
            members: vec![json!({"raw": true, "accountId": "100000000001"}), json!({"email": null}), Value::Null],
            ..TargetSeed::default()
        });
        let members = parsed(&target.members);
        assert_eq!(members[0], json!({"accountId": "100000000001"}));
        assert_eq!(members[1]["email"], Value::Null);
        assert_eq!(members[1]["accountId"], "100000000002");
        assert_eq!(members[2], Value::Null);
    }

    #[test]
    fn get_member_knows_what_changed() {
        let changes = [
            ("100000000001", json!({"relationshipStatus": "Enabled"})),
            ("100000000002", Value::Null),
            ("123412341234", json!({"raw": true})),
        ];
        let target = render(&TargetSeed {
            members: vec![json!({"count": 3, "relationshipStatus": "Paused"})],
            member_now: changes.map(|(id, now)| (id.to_owned(), now)).into(),
            ..TargetSeed::default()
        });
        let member = |id: &str| {
            let text = target.member(id)?;
            Some(parsed(&[text]).remove(0))
        };
        let changed = member("100000000001").expect("a member");
        assert_eq!(changed["relationshipStatus"], "Enabled");
        assert_eq!(changed["email"], "member-100000000001@example.com");
        assert_eq!(member("100000000002"), None);
        let same = member("100000000003").expect("a member");
        assert_eq!(same["relationshipStatus"], "Paused");
        assert_eq!(member("123412341234"), Some(json!({})));
        assert_eq!(member("555555555555"), None);
    }
}
