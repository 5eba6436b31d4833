//! ListAllowLists and GetAllowList: the allow lists that are in use, and what they let pass.

use std::collections::{BTreeSet, HashMap};

use macie_compliance_core::api::Api;
use macie_compliance_core::evidence::AllowList;
use macie_compliance_core::text::{beginning, clip};

use super::walk::{PAGE, Page, Walk, Walker, id, word};
use crate::client::{KeepBody, OrFailure};

/// The names and ARNs of all lists of the account.
pub(super) type Known = HashMap<String, (Option<String>, Option<String>)>;

pub(super) async fn list(walker: &Walker<'_>) -> (Walk, Known) {
    let ask = async |token| {
        let call = walker.client.list_allow_lists().max_results(PAGE).set_next_token(token);
        call.send().await.or_failure().map(|page| Page { items: page.allow_lists, next: page.next_token })
    };
    let mut known = Known::new();
    let walk = walker.list(Api::ListAllowLists, ask, |item| {
        let id = id(item.id.as_deref());
        known.insert(id.clone(), (item.name.as_deref().map(clip), item.arn.as_deref().map(clip)));
        id
    });
    (walk.await, known)
}

/// The lists with these ids. One that is gone by now lets nothing pass.
pub(super) async fn read(walker: &Walker<'_>, used: BTreeSet<String>, known: Known) -> (Option<Walk>, Vec<AllowList>) {
    let of = |id: &String| {
        let (name, arn) = known.get(id).cloned().unwrap_or_default();
        AllowList { id: id.clone(), arn, name, status: None, regex: None }
    };
    let mut lists: Vec<AllowList> = used.iter().map(of).collect();
    if !walker.checks.need(Api::GetAllowList) {
        return (None, lists);
    }
    let ids = lists.iter().enumerate().map(|(index, list)| (index, list.id.clone())).collect();
    let ask = async |(index, id): (usize, String)| {
        let body = KeepBody::default();
        let call = walker.client.get_allow_list().id(id).customize().interceptor(body.clone());
        match call.send().await.or_failure() {
            // The SDK takes a code that is absent for one of its own.
            Ok(answer) => Ok((index, Some((answer, body.json()?["status"]["code"].is_string())))),
            Err(failure) if failure.code == "ResourceNotFoundException" => Ok((index, None)),
            Err(failure) => Err(failure),
        }
    };
    let (mut walk, answers) = walker.each(Api::GetAllowList, ids, ask).await;
    for (index, answer) in answers {
        let Some((answer, has_status)) = answer else { continue };
        let list = &mut lists[index];
        list.name = answer.name.as_deref().map(clip).or(list.name.take());
        list.arn = answer.arn.as_deref().map(clip).or(list.arn.take());
        let status = answer.status.filter(|_| has_status).and_then(|status| status.code);
        list.status = status.map(|code| word(code.as_str()));
        let has_criteria = answer.criteria.as_ref().is_some_and(|of| of.regex.is_some() || of.s3_words_list.is_some());
        let regex = answer.criteria.and_then(|criteria| criteria.regex);
        // One character more than is judged, so that a cut one is not judged.
        list.regex = regex.as_deref().map(|regex| beginning(regex, AllowList::LONGEST_REGEX + 1).to_owned());
        if let Some(walk) = walk.as_mut().filter(|_| list.status.is_none() || !has_criteria) {
            walk.invalid("an allow list has no status or no criteria");
        }
    }
    (walk, lists)
}
