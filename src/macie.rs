//! Reads Macie: one target, every API, every page.
//!
//! The only module that names `aws_sdk_macie2`. The generated paginators are not used: on a token
//! that repeats they end as if everything was read, and on tokens that take turns they never end.

use std::collections::BTreeMap;

use aws_config::{Region, SdkConfig};
use aws_sdk_macie2::Client;
use aws_sdk_macie2::primitives::{DateTime, DateTimeFormat};
use aws_sdk_macie2::types::{FindingsFilterListItem, Invitation, MacieStatus, Member, RelationshipStatus};
use futures_util::future::join;
use futures_util::stream::{self, StreamExt};
use tokio::time::{Instant, timeout_at};

use crate::aws::{MoreThrottling, OrFailure, Trail, unbudgeted};
use crate::facts::{
    Api, Facts, Failure, RELATIONSHIP_STATUSES, Read, Resource, ResourceType, Status, Target, count_members,
};
use crate::rules::Rules;
use crate::text::clip;

/// Items on a page: the most that Macie gives.
const PAGE: i32 = 25;

/// Members of one target that are read again at the same time.
const CONFIRMING: usize = 16;

/// What a member without a status is counted under.
const NO_STATUS: &str = "(absent)";

/// Adds to the facts of one target everything that Macie tells there, the chains of requests at the
/// same time, and stops at the cut.
///
/// E-mail addresses of members are kept only if `emails` says so.
pub async fn read(config: &SdkConfig, mut facts: Facts, rules: &Rules, emails: bool, cut: Instant) -> Facts {
    let config = aws_sdk_macie2::config::Builder::from(config)
        .region(Region::new(facts.target.region.clone()))
        .retry_classifier(MoreThrottling)
        .retry_partition(unbudgeted())
        .build();
    let reader = Reader { client: Client::from_conf(config), rules, emails, target: &facts.target, cut };
    let alone = join(reader.session(), reader.administrator());
    let lists = join(reader.members(), join(reader.invitations(), reader.filters()));
    let ((session, administrator), ((members, confirmed), (invitations, filters))) = join(alone, lists).await;
    for chain in [Some(session), Some(administrator), Some(members), confirmed, Some(invitations), Some(filters)] {
        chain.into_iter().for_each(|chain| chain.merge_into(&mut facts));
    }
    facts
}

/// What one chain of requests has read so far. It lives outside the future that fills it, so
/// that what was read is there when the future is cut.
struct Chain {
    read: Read,
    flagged: Vec<Resource>,
    members: BTreeMap<String, u64>,
    not_enabled: bool,
}

impl Chain {
    fn new(api: Api) -> Chain {
        Chain { read: Read::new(api), flagged: Vec::new(), members: BTreeMap::new(), not_enabled: false }
    }

    /// Ends the read with this failure. That Macie is not enabled is an answer and not a failure,
    /// unless pages came before it: then the rest of them is unread. The first failure stands.
    fn fail(&mut self, failure: Failure) {
        let first_answer = self.read.pages == 0 && self.read.api != Api::GetMember;
        if first_answer && is_not_enabled(&failure) {
            self.not_enabled = true;
        } else {
            self.read.failure.get_or_insert(failure);
        }
    }

    fn invalid(&mut self, message: &str) {
        self.fail(Failure::own(Failure::INVALID_RESPONSE, message));
    }

    fn count_member(&mut self, status: &Status, change: i64) {
        count_members(&mut self.members, status.word().unwrap_or(NO_STATUS), change);
    }

    fn merge_into(self, facts: &mut Facts) {
        facts.reads.push(self.read);
        facts.flagged.extend(self.flagged);
        for (status, count) in self.members.into_iter().filter(|(_, count)| *count > 0) {
            count_members(&mut facts.members_by_status, &status, count as i64);
        }
        // Every chain may say so; it is judged once.
        if self.not_enabled {
            facts.flagged.push(session(&facts.target, Status::NotEnabled, None));
        }
    }
}

/// One page of a list: its items, `None` where the answer has no list, and the next token.
struct Page<T> {
    items: Option<Vec<T>>,
    next: Option<String>,
}

struct Reader<'a> {
    client: Client,
    rules: &'a Rules,
    emails: bool,
    target: &'a Target,
    cut: Instant,
}

impl Reader<'_> {
    async fn session(&self) -> Chain {
        let mut chain = Chain::new(Api::GetMacieSession);
        let Some(answer) = self.ask(&mut chain, self.client.get_macie_session().send()).await else { return chain };
        if !matches!(answer.status, Some(MacieStatus::Enabled | MacieStatus::Paused)) {
            chain.invalid("the answer has no session status that this version knows");
        }
        let status = answer.status.map_or(Status::Absent, |status| Status::Is(word(status.as_str())));
        self.keep(&mut chain, session(self.target, status, answer.updated_at));
        chain
    }

    /// The administrator relationship, by its older name where only that is allowed or known.
    async fn administrator(&self) -> Chain {
        let mut chain = Chain::new(Api::GetAdministratorAccount);
        let answer = self.ask(&mut chain, self.client.get_administrator_account().send()).await;
        let mut administrator = answer.and_then(|answer| answer.administrator);
        if chain.read.failure.as_ref().is_some_and(only_the_older_name_may_do) {
            let mut older = Chain::new(Api::GetMasterAccount);
            let answer = self.ask(&mut older, self.client.get_master_account().send()).await;
            if older.read.failure.is_none() {
                administrator = answer.and_then(|answer| answer.master);
                chain = older;
            }
        }
        chain.read.items = administrator.iter().len() as u64;
        if let Some(administrator) = administrator {
            let resource = Resource { kind: ResourceType::Administrator, ..invitation(administrator) };
            if !resource.status.word().is_some_and(|word| RELATIONSHIP_STATUSES.contains(&word)) {
                chain.invalid("the relationship has no status that this version knows");
            }
            self.keep(&mut chain, resource);
        }
        chain
    }

    /// The members, and those of them that are flagged read once more.
    async fn members(&self) -> (Chain, Option<Chain>) {
        let list = async |token| {
            let call = self.client.list_members().only_associated("false").max_results(PAGE).set_next_token(token);
            call.send().await.or_failure().map(|page| Page { items: page.members, next: page.next_token })
        };
        let mut listed = self
            .walk(Api::ListMembers, list, |chain, item| {
                let resource = self.member(item);
                chain.count_member(&resource.status, 1);
                resource
            })
            .await;
        let confirmed = if listed.flagged.is_empty() { None } else { Some(self.confirm(&mut listed).await) };
        (listed, confirmed)
    }

    async fn invitations(&self) -> Chain {
        let list = async |token| {
            let call = self.client.list_invitations().max_results(PAGE).set_next_token(token);
            call.send().await.or_failure().map(|page| Page { items: page.invitations, next: page.next_token })
        };
        self.walk(Api::ListInvitations, list, |_, item| invitation(item)).await
    }

    async fn filters(&self) -> Chain {
        let list = async |token| {
            let call = self.client.list_findings_filters().max_results(PAGE).set_next_token(token);
            let page = call.send().await.or_failure();
            page.map(|page| Page { items: page.findings_filter_list_items, next: page.next_token })
        };
        self.walk(Api::ListFindingsFilters, list, |_, item| filter(item)).await
    }

    /// Reads every page of a list and keeps of its items those that a rule flags.
    async fn walk<T>(
        &self,
        api: Api,
        list: impl AsyncFn(Option<String>) -> Result<Page<T>, Failure>,
        mut take: impl FnMut(&mut Chain, T) -> Resource,
    ) -> Chain {
        let mut chain = Chain::new(api);
        self.until_cut(&mut chain, async |chain| {
            let (mut trail, mut token) = (Trail::default(), None);
            loop {
                let page = match list(token).await {
                    Ok(page) => page,
                    Err(failure) => return chain.fail(failure),
                };
                chain.read.pages += 1;
                let Some(items) = page.items else { return chain.invalid("a page has no list of items") };
                chain.read.items += items.len() as u64;
                for item in items {
                    let resource = take(chain, item);
                    if resource.id.is_empty() {
                        chain.invalid("an item has no id");
                    }
                    self.keep(chain, resource);
                }
                token = match trail.follow(page.next) {
                    Ok(Some(next)) => Some(next),
                    Ok(None) => return,
                    Err(failure) => return chain.fail(failure),
                };
            }
        })
        .await;
        chain
    }

    /// Reads the flagged members once more, so that a status that changed during a long walk is
    /// told as it is now. A member that cannot be read again keeps the status that was listed.
    async fn confirm(&self, listed: &mut Chain) -> Chain {
        let mut chain = Chain::new(Api::GetMember);
        let mut now = Vec::new();
        self.until_cut(&mut chain, async |chain| {
            let calls = listed.flagged.iter().enumerate().filter(|(_, resource)| !resource.id.is_empty());
            let calls = calls.map(async |(index, resource)| (index, self.read_again(resource).await));
            let mut answers = stream::iter(calls).buffer_unordered(CONFIRMING);
            while let Some((index, answer)) = answers.next().await {
                match answer {
                    Ok(resource) => {
                        chain.read.pages += 1;
                        chain.read.items += 1;
                        now.push((index, resource));
                    }
                    Err(failure) => chain.fail(failure),
                }
            }
        })
        .await;
        for (index, resource) in now {
            let old = std::mem::replace(&mut listed.flagged[index], resource);
            listed.count_member(&old.status, -1);
            listed.count_member(&listed.flagged[index].status.clone(), 1);
        }
        listed.flagged.retain(|member| self.rules.flag(member.kind, &member.status));
        chain
    }

    async fn read_again(&self, resource: &Resource) -> Result<Resource, Failure> {
        let id = resource.id.as_str();
        let answer = self.client.get_member().id(id).send().await.or_failure()?;
        if answer.relationship_status.is_none() && resource.status != Status::Absent {
            return Err(Failure::own(Failure::INVALID_RESPONSE, "the answer has no status, and the list has one"));
        }
        if answer.account_id.as_deref().is_some_and(|answered| answered != id) {
            return Err(Failure::own(Failure::INVALID_RESPONSE, "the answer is about another account"));
        }
        Ok(Resource {
            kind: ResourceType::Member,
            id: id.to_owned(),
            arn: answer.arn.as_deref().map(clip),
            name: None,
            email: self.email(answer.email),
            status: relationship(answer.relationship_status),
            since: answer.updated_at.as_ref().and_then(time),
            confirmed: Some(true),
        })
    }

    /// One request that has one answer.
    async fn ask<O, R: OrFailure<O>>(&self, chain: &mut Chain, call: impl Future<Output = R>) -> Option<O> {
        let mut answer = None;
        self.until_cut(chain, async |chain| match call.await.or_failure() {
            Ok(output) => {
                chain.read.pages = 1;
                chain.read.items = 1;
                answer = Some(output);
            }
            Err(failure) => chain.fail(failure),
        })
        .await;
        answer
    }

    async fn until_cut(&self, chain: &mut Chain, work: impl AsyncFnOnce(&mut Chain)) {
        if timeout_at(self.cut, work(chain)).await.is_err() {
            chain.fail(Failure::deadline_exceeded());
        }
    }

    fn member(&self, item: Member) -> Resource {
        Resource {
            kind: ResourceType::Member,
            id: item.account_id.as_deref().map(clip).unwrap_or_default(),
            arn: item.arn.as_deref().map(clip),
            name: None,
            email: self.email(item.email),
            status: relationship(item.relationship_status),
            since: item.updated_at.as_ref().and_then(time),
            confirmed: Some(false),
        }
    }

    fn email(&self, address: Option<String>) -> Option<String> {
        address.filter(|_| self.emails).as_deref().map(clip)
    }

    fn keep(&self, chain: &mut Chain, resource: Resource) {
        if self.rules.flag(resource.kind, &resource.status) {
            chain.flagged.push(resource);
        }
    }
}

/// Whether Macie says that it is not enabled. Code and message must both say so: the code alone
/// is what a missing permission gives, and the HTTP status is 401 or 403.
fn is_not_enabled(failure: &Failure) -> bool {
    failure.code == "AccessDeniedException" && failure.message.to_ascii_lowercase().contains("macie is not enabled")
}

/// Whether GetMasterAccount may do where GetAdministratorAccount did not.
fn only_the_older_name_may_do(failure: &Failure) -> bool {
    let refused = ["AccessDeniedException", "AccessDenied", "UnknownOperationException", "ResourceNotFoundException"];
    refused.contains(&failure.code.as_str()) || failure.message.starts_with("HTTP 404")
}

fn session(target: &Target, status: Status, since: Option<DateTime>) -> Resource {
    Resource {
        kind: ResourceType::Session,
        id: target.account_id.clone(),
        arn: None,
        name: None,
        email: None,
        status,
        since: since.as_ref().and_then(time),
        confirmed: None,
    }
}

fn invitation(item: Invitation) -> Resource {
    Resource {
        kind: ResourceType::Invitation,
        id: item.account_id.as_deref().map(clip).unwrap_or_default(),
        arn: None,
        name: None,
        email: None,
        status: relationship(item.relationship_status),
        since: item.invited_at.as_ref().and_then(time),
        confirmed: None,
    }
}

fn filter(item: FindingsFilterListItem) -> Resource {
    Resource {
        kind: ResourceType::FindingsFilter,
        id: item.id.as_deref().map(clip).unwrap_or_default(),
        arn: item.arn.as_deref().map(clip),
        name: item.name.as_deref().map(clip),
        email: None,
        status: item.action.map_or(Status::Absent, |action| Status::Is(word(action.as_str()))),
        since: None,
        confirmed: None,
    }
}

fn relationship(status: Option<RelationshipStatus>) -> Status {
    status.map_or(Status::Absent, |status| Status::Is(word(status.as_str())))
}

/// A status or action: an identifier, so a long one is noise.
fn word(text: &str) -> String {
    text.chars().take(64).collect()
}

fn time(time: &DateTime) -> Option<String> {
    time.fmt(DateTimeFormat::DateTime).ok()
}
