//! ListFindingsFilters: the findings filters of the account. Those that archive findings are read once more with
//! GetFindingsFilter, and GetFindingStatistics is asked how many findings match them.

use aws_sdk_macie2::types::GroupBy;
use macie_compliance_core::api::Api;
use macie_compliance_core::criteria::{Criteria, Place};
use macie_compliance_core::evidence::{BucketMatches, Filter, FilterDetail, FindingCounts, Matches, Read};
use macie_compliance_core::failure::Failure;
use macie_compliance_core::text::clip;
use serde_json::{Value, json};
use tokio::time::Instant;

use super::walk::{PAGE, Page, Walk, Walker, id, until, word};
use crate::client::{KeepBody, OrFailure, SendBody};

/// The buckets with most archived findings that are asked for.
const TOP_BUCKETS: i32 = 5;

/// The filters, and how far each of the operations got; those that look again only where they were called.
pub(super) async fn read(walker: &Walker<'_>) -> (Vec<Walk>, Vec<Filter>) {
    let ask = async |token| {
        let call = walker.client.list_findings_filters().max_results(PAGE).set_next_token(token);
        let page = call.send().await.or_failure();
        page.map(|page| Page { items: page.findings_filter_list_items, next: page.next_token })
    };
    let mut kept = Vec::new();
    let listed = walker.list(Api::ListFindingsFilters, ask, |item| {
        let filter = Filter {
            id: id(item.id.as_deref()),
            arn: item.arn.as_deref().map(clip),
            name: item.name.as_deref().map(clip),
            action: item.action.as_ref().map(|action| word(action.as_str())),
            detail: None,
        };
        let id = filter.id.clone();
        if walker.checks.flag_filter(&filter, &walker.scope) {
            kept.push(filter);
        }
        id
    });
    let mut walks = vec![listed.await];
    if walker.checks.need(Api::GetFindingsFilter) && kept.iter().any(is_archiving) {
        walks.push(look_again(walker, &mut kept).await);
        kept.retain(|filter| walker.checks.flag_filter(filter, &walker.scope));
        if kept.iter().any(|filter| filter.detail.is_some()) {
            walks.push(count_matches(walker, &mut kept).await);
        }
    }
    (walks, kept)
}

fn is_archiving(filter: &Filter) -> bool {
    filter.action.as_deref() == Some("ARCHIVE")
}

/// Reads each filter that archives findings by itself. What it is now counts: one that is gone is no longer among
/// the filters, and one that cannot be read stays as it was listed.
///
/// Which of them are the widest is known when all are read. So half of the time is kept for counting what matches
/// those that were read by then, and one that hangs leaves the others their numbers.
async fn look_again(walker: &Walker<'_>, filters: &mut Vec<Filter>) -> Walk {
    let mut walk = Walk::new(Api::GetFindingsFilter);
    let mut now = Vec::new();
    let start = Instant::now();
    let half = start + walker.cut.saturating_duration_since(start) / 2;
    until(half, &mut walk, async |walk| {
        let asked = filters.iter().enumerate().filter(|(_, filter)| is_archiving(filter) && !filter.id.is_empty());
        let calls = asked.map(async |(index, filter)| Ok((index, read_again(walker, filter).await?)));
        let take = |read: &mut Read, (index, filter): (usize, Option<Filter>)| {
            read.pages += 1;
            read.items += u64::from(filter.is_some());
            now.push((index, filter));
        };
        walker.gather(walk, filters.len(), calls, take).await;
    })
    .await;
    for (index, filter) in now {
        match filter {
            Some(filter) => filters[index] = filter,
            None => filters[index].id.clear(),
        }
    }
    // One without an id was told as an invalid answer when it was listed.
    filters.retain(|filter| !filter.id.is_empty());
    walk
}

/// A filter as it is now; `None` where it is gone.
async fn read_again(walker: &Walker<'_>, listed: &Filter) -> Result<Option<Filter>, Failure> {
    let body = KeepBody::default();
    let call = walker.client.get_findings_filter().id(&listed.id).customize().interceptor(body.clone());
    let answer = match call.send().await.or_failure() {
        Ok(answer) => answer,
        Err(failure) if failure.code == "ResourceNotFoundException" => return Ok(None),
        Err(failure) => return Err(failure),
    };
    if answer.id.as_deref().is_some_and(|answered| answered != listed.id) {
        return Err(Failure::invalid_response("the answer is about another filter"));
    }
    let Some(action) = answer.action else {
        return Err(Failure::invalid_response("the answer has no action, and the list has one"));
    };
    let criteria = body.json()?.get_mut("findingCriteria").map(Value::take).filter(|criteria| !criteria.is_null());
    Ok(Some(Filter {
        id: listed.id.clone(),
        arn: answer.arn.as_deref().map(clip).or_else(|| listed.arn.clone()),
        name: answer.name.as_deref().map(clip).or_else(|| listed.name.clone()),
        action: Some(word(action.as_str())),
        detail: Some(Box::new(FilterDetail {
            description: answer.description.as_deref().map(clip),
            position: answer.position.map(i64::from),
            criteria,
            matches: None,
        })),
    }))
}

/// Asks how many findings match each filter, the widest first, so that what the time does not allow is the narrowest.
async fn count_matches(walker: &Walker<'_>, filters: &mut [Filter]) -> Walk {
    let target = walker.scope.target;
    let place = Place { account_id: &target.account_id, region: &target.region, has_members: false };
    let criteria = |filter: &Filter| {
        let detail = filter.detail.as_ref().filter(|_| is_archiving(filter))?;
        Some(Criteria::new(detail.criteria.clone()))
    };
    let mut asked: Vec<_> = filters.iter().map(criteria).enumerate().collect();
    asked.retain(|(_, criteria)| criteria.is_some());
    asked.sort_by_key(|(_, criteria)| criteria.as_ref().map(|criteria| criteria.breadth(&place)));

    let mut walk = Walk::new(Api::GetFindingStatistics);
    let mut found = Vec::new();
    walker
        .until_cut(&mut walk, async |walk| {
            let number = asked.len();
            let asked = asked.into_iter().filter_map(|(index, criteria)| Some((index, criteria?)));
            let calls = asked.map(async |(index, criteria)| Ok((index, matches(walker, &criteria).await?)));
            let take = |read: &mut Read, counted| {
                read.pages += 3;
                read.items += 1;
                found.push(counted);
            };
            walker.gather(walk, number, calls, take).await;
        })
        .await;
    for (index, matches) in found {
        if let Some(detail) = &mut filters[index].detail {
            detail.matches = Some(matches);
        }
    }
    walk
}

async fn matches(walker: &Walker<'_>, criteria: &Criteria) -> Result<Matches, Failure> {
    let by_severity = |archived| {
        let question = json!({"groupBy": "severity.description", "findingCriteria": criteria.with_archived(archived)});
        async move { groups(walker, GroupBy::SeverityDescription, &question).await.map(severities) }
    };
    let top_buckets = async {
        let question = json!({
            "groupBy": "resourcesAffected.s3Bucket.name",
            "findingCriteria": criteria.with_archived(true),
            "size": TOP_BUCKETS,
            "sortCriteria": {"attributeName": "count", "orderBy": "DESC"},
        });
        groups(walker, GroupBy::ResourcesAffectedS3BucketName, &question).await
    };
    let (archived, current) = (by_severity(true).await?, by_severity(false).await?);
    let mut buckets = top_buckets.await?;
    buckets.sort_by(|(a, of_a), (b, of_b)| of_b.cmp(of_a).then(a.cmp(b)));
    buckets.truncate(TOP_BUCKETS as usize);
    let top_buckets = buckets.into_iter().map(|(name, archived)| BucketMatches { name: clip(&name), archived });
    Ok(Matches { archived, current, top_buckets: top_buckets.collect() })
}

/// The groups of findings that an answer counts. The question is sent as it is, since a filter's criteria may hold
/// what the SDK does not know.
async fn groups(walker: &Walker<'_>, by: GroupBy, question: &Value) -> Result<Vec<(String, u64)>, Failure> {
    let call = walker.client.get_finding_statistics().group_by(by);
    let answer = call.customize().interceptor(SendBody::new(question)).send().await.or_failure()?;
    let Some(groups) = answer.counts_by_group else {
        return Err(Failure::invalid_response("the answer has no list of groups"));
    };
    let groups = groups.into_iter().map(|group| {
        let count = group.count.and_then(|count| u64::try_from(count).ok());
        count.map(|count| (group.group_key.unwrap_or_default(), count))
    });
    let groups: Option<Vec<_>> = groups.collect();
    groups.ok_or_else(|| Failure::invalid_response("a group has no number of findings"))
}

fn severities(groups: Vec<(String, u64)>) -> FindingCounts {
    let mut counts = FindingCounts::default();
    for (severity, findings) in groups {
        counts.total = counts.total.saturating_add(findings);
        match severity.as_str() {
            "High" => counts.high = counts.high.saturating_add(findings),
            "Medium" => counts.medium = counts.medium.saturating_add(findings),
            "Low" => counts.low = counts.low.saturating_add(findings),
            _ => {}
        }
    }
    counts
}
