//! ListClassificationScopes and GetClassificationScope: the buckets that are excluded from automated discovery.

use macie_compliance_core::api::Api;
use macie_compliance_core::text::clip;

use super::walk::{Page, Walk, Walker, id};
use crate::client::{KeepBody, OrFailure};

pub(super) async fn read(walker: &Walker<'_>) -> (Vec<Walk>, Vec<String>) {
    let ask = async |token| {
        let call = walker.client.list_classification_scopes().set_next_token(token).send().await;
        call.or_failure().map(|page| Page { items: page.classification_scopes, next: page.next_token })
    };
    let mut ids = Vec::new();
    let listed = walker.list(Api::ListClassificationScopes, ask, |item| {
        let id = id(item.id.as_deref());
        ids.push(id.clone());
        id
    });
    let mut listed = listed.await;
    listed.take_that_it_is_for_others();
    let ids = ids.into_iter().filter(|id| !id.is_empty()).collect();
    let ask = async |id: String| {
        // The SDK takes exclusions that are absent for none.
        let body = KeepBody::default();
        let call = walker.client.get_classification_scope().id(id).customize().interceptor(body.clone());
        let answer = call.send().await.or_failure()?;
        let excludes = answer.s3.and_then(|s3| s3.excludes).map(|excludes| excludes.bucket_names);
        Ok(excludes.filter(|_| body.json().is_ok_and(|body| body["s3"]["excludes"]["bucketNames"].is_array())))
    };
    let (walk, answers) = walker.each(Api::GetClassificationScope, ids, ask).await;
    let mut walks = vec![listed];
    walks.extend(walk.map(|mut walk| {
        if answers.iter().any(Option::is_none) {
            walk.invalid("a scope does not say which buckets are excluded");
        }
        walk
    }));
    (walks, answers.into_iter().flatten().flatten().flatten().map(|name| clip(&name)).collect())
}
