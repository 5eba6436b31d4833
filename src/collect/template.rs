//! ListSensitivityInspectionTemplates and GetSensitivityInspectionTemplate: the detectors that are excluded from
//! automated discovery, and the allow lists that are part of it; and ListManagedDataIdentifiers, the category of what
//! is excluded.

use std::collections::HashMap;

use aws_sdk_macie2::operation::get_sensitivity_inspection_template::GetSensitivityInspectionTemplateOutput;
use macie_compliance_core::api::Api;
use macie_compliance_core::evidence::ManagedDataIdentifier;
use macie_compliance_core::text::clip;

use super::walk::{PAGE, Page, Walk, Walker, id, word};
use crate::client::OrFailure;

/// What a template leaves out.
#[derive(Default)]
pub(super) struct Template {
    pub(super) excluded: Vec<ManagedDataIdentifier>,
    pub(super) allow_lists: Vec<String>,
}

pub(super) async fn read(walker: &Walker<'_>) -> (Vec<Walk>, Template) {
    let ask = async |token| {
        let call = walker.client.list_sensitivity_inspection_templates().max_results(PAGE).set_next_token(token);
        let page = call.send().await.or_failure()?;
        Ok(Page { items: page.sensitivity_inspection_templates, next: page.next_token })
    };
    let mut ids = Vec::new();
    let listed = walker.list(Api::ListSensitivityInspectionTemplates, ask, |item| {
        let id = id(item.id.as_deref());
        ids.push(id.clone());
        id
    });
    let mut listed = listed.await;
    listed.take_that_it_is_for_others();
    let ids = ids.into_iter().filter(|id| !id.is_empty()).collect();
    let ask = async |id: String| walker.client.get_sensitivity_inspection_template().id(id).send().await.or_failure();
    let (mut walk, answers) = walker.each(Api::GetSensitivityInspectionTemplate, ids, ask).await;
    if let Some(walk) = walk.as_mut().filter(|_| answers.iter().any(is_empty)) {
        walk.invalid("the answer is no template");
    }
    let mut walks = vec![listed];
    walks.extend(walk);

    let mut template = Template::default();
    for answer in answers {
        let lists = answer.includes.and_then(|includes| includes.allow_list_ids).unwrap_or_default();
        template.allow_lists.extend(lists.iter().map(|list| clip(list)));
        let excluded = answer.excludes.and_then(|excludes| excludes.managed_data_identifier_ids).unwrap_or_default();
        template.excluded.extend(excluded.iter().map(|id| ManagedDataIdentifier { id: clip(id), category: None }));
    }
    if !template.excluded.is_empty() && walker.checks.need(Api::ListManagedDataIdentifiers) {
        walks.push(categories(walker, &mut template.excluded).await);
    }
    (walks, template)
}

/// A template that leaves out nothing may say nothing of it, but it says something.
fn is_empty(answer: &GetSensitivityInspectionTemplateOutput) -> bool {
    let id = answer.sensitivity_inspection_template_id.as_ref().or(answer.name.as_ref());
    id.is_none() && answer.excludes.is_none() && answer.includes.is_none()
}

/// Looks up the categories of what is excluded.
async fn categories(walker: &Walker<'_>, excluded: &mut [ManagedDataIdentifier]) -> Walk {
    let ask = async |token| {
        let call = walker.client.list_managed_data_identifiers().set_next_token(token).send().await;
        call.or_failure().map(|page| Page { items: page.items, next: page.next_token })
    };
    let mut of: HashMap<String, &mut ManagedDataIdentifier> =
        excluded.iter_mut().map(|identifier| (identifier.id.clone(), identifier)).collect();
    let walk = walker.list(Api::ListManagedDataIdentifiers, ask, |item| {
        let id = id(item.id.as_deref());
        if let Some(identifier) = of.get_mut(&id) {
            identifier.category = item.category.as_ref().map(|category| word(category.as_str()));
        }
        id
    });
    walk.await
}
