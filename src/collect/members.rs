//! ListMembers: the accounts associated with this administrator account; and GetMember, which reads
//! the flagged of them once more.

use aws_sdk_macie2::types;
use macie_compliance_core::api::Api;
use macie_compliance_core::evidence::{Member, Members, Read};
use macie_compliance_core::failure::Failure;
use macie_compliance_core::refusal::Refusal;
use macie_compliance_core::text::clip;

use super::walk::{PAGE, Page, Walk, Walker, id, status, time};
use crate::client::OrFailure;

/// The members, and how far each of the two operations got; the second only where it was called.
/// `first` is told once there is a member.
pub(super) async fn read(walker: &Walker<'_>, mut first: impl FnMut()) -> (Walk, Option<Walk>, Members) {
    let ask = async |token| {
        let call = walker.client.list_members().only_associated("false").max_results(PAGE).set_next_token(token);
        call.send().await.or_failure().map(|page| Page { items: page.members, next: page.next_token })
    };
    let mut members = Members::default();
    let listed = walker.list(Api::ListMembers, ask, |item| {
        first();
        let updated_at = item.updated_at;
        let mut member = member(walker, item);
        members.count(&member, walker.keep.member_ids);
        if !walker.checks.flag_member(&member, &walker.scope) {
            return member.id;
        }
        // Written only for what is kept: it takes longer than all else about a member.
        member.since = time(updated_at.as_ref());
        let id = member.id.clone();
        members.flagged.push(member);
        id
    });
    let listed = listed.await;
    let confirmed = if members.flagged.is_empty() { None } else { Some(confirm(walker, &mut members).await) };
    (listed, confirmed, members)
}

/// Reads the flagged members once more, so that a status that changed during a long walk is reported
/// as it is now. A member that cannot be read again keeps the status that was listed.
async fn confirm(walker: &Walker<'_>, members: &mut Members) -> Walk {
    let mut walk = Walk::new(Api::GetMember);
    let mut now = Vec::new();
    walker
        .until_cut(&mut walk, async |walk| {
            let asked = members.flagged.iter().enumerate().filter(|(_, member)| !member.id.is_empty());
            let calls = asked.map(async |(index, member)| Ok((index, read_again(walker, member).await?)));
            let take = |read: &mut Read, (index, member): (usize, Option<Member>)| {
                read.pages += 1;
                read.items += u64::from(member.is_some());
                now.extend(member.map(|member| (index, member)));
            };
            walker.gather(walk, members.flagged.len(), calls, take).await;
        })
        .await;
    for (index, member) in now {
        let listed = std::mem::replace(&mut members.flagged[index], member);
        let member = members.flagged[index].clone();
        if member.status != listed.status {
            members.uncount(&listed);
            members.count(&member, walker.keep.member_ids);
        }
    }
    members.flagged.retain(|member| walker.checks.flag_member(member, &walker.scope));
    walk
}

/// A member as it is now; `None` where Macie knows no such member, though it lists it.
async fn read_again(walker: &Walker<'_>, listed: &Member) -> Result<Option<Member>, Failure> {
    let answer = match walker.client.get_member().id(&listed.id).send().await.or_failure() {
        Ok(answer) => answer,
        Err(failure) if failure.refusal() == Some(Refusal::NoSuchMember) => return Ok(None),
        Err(failure) => return Err(failure),
    };
    if answer.relationship_status.is_none() && listed.status.is_some() {
        return Err(Failure::invalid_response("the answer has no status, and the list has one"));
    }
    if answer.account_id.as_deref().is_some_and(|answered| answered != listed.id) {
        return Err(Failure::invalid_response("the answer is about another account"));
    }
    Ok(Some(Member {
        id: listed.id.clone(),
        arn: answer.arn.as_deref().map(clip),
        email: email(walker, answer.email),
        status: status(answer.relationship_status.as_ref()),
        since: time(answer.updated_at.as_ref()),
        confirmed: true,
    }))
}

/// A member of the list, without the time of its last change.
fn member(walker: &Walker<'_>, item: types::Member) -> Member {
    Member {
        id: id(item.account_id.as_deref()),
        arn: item.arn.as_deref().map(clip),
        email: email(walker, item.email),
        status: status(item.relationship_status.as_ref()),
        since: None,
        confirmed: false,
    }
}

fn email(walker: &Walker<'_>, address: Option<String>) -> Option<String> {
    address.filter(|_| walker.keep.emails).as_deref().map(clip)
}
