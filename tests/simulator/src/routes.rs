//! Which of Macie's operations a request is for.

use hyper::Method;

/// Every operation that is answered, with its method and path. `{id}` is any part that is not empty.
const ROUTES: [(&str, Method, &str); 24] = [
    ("DescribeBuckets", Method::POST, "/datasources/s3"),
    ("DescribeClassificationJob", Method::GET, "/jobs/{id}"),
    ("DescribeOrganizationConfiguration", Method::GET, "/admin/configuration"),
    ("GetAdministratorAccount", Method::GET, "/administrator"),
    ("GetAllowList", Method::GET, "/allow-lists/{id}"),
    ("GetAutomatedDiscoveryConfiguration", Method::GET, "/automated-discovery/configuration"),
    ("GetClassificationExportConfiguration", Method::GET, "/classification-export-configuration"),
    ("GetClassificationScope", Method::GET, "/classification-scopes/{id}"),
    ("GetFindingStatistics", Method::POST, "/findings/statistics"),
    ("GetFindingsFilter", Method::GET, "/findingsfilters/{id}"),
    ("GetFindingsPublicationConfiguration", Method::GET, "/findings-publication-configuration"),
    ("GetMacieSession", Method::GET, "/macie"),
    ("GetMasterAccount", Method::GET, "/master"),
    ("GetMember", Method::GET, "/members/{id}"),
    ("GetSensitivityInspectionTemplate", Method::GET, "/templates/sensitivity-inspections/{id}"),
    ("ListAllowLists", Method::GET, "/allow-lists"),
    ("ListAutomatedDiscoveryAccounts", Method::GET, "/automated-discovery/accounts"),
    ("ListClassificationJobs", Method::POST, "/jobs/list"),
    ("ListClassificationScopes", Method::GET, "/classification-scopes"),
    ("ListFindingsFilters", Method::GET, "/findingsfilters"),
    ("ListInvitations", Method::GET, "/invitations"),
    ("ListManagedDataIdentifiers", Method::POST, "/managed-data-identifiers/list"),
    ("ListMembers", Method::GET, "/members"),
    ("ListSensitivityInspectionTemplates", Method::GET, "/templates/sensitivity-inspections"),
];

/// The operation that a request is for, by its path as it was sent, or the empty name.
pub(crate) fn operation(method: &Method, path: &str) -> &'static str {
    let fits = |pattern: &str| {
        let (mut parts, mut wanted) = (path.split('/'), pattern.split('/'));
        loop {
            match (parts.next(), wanted.next()) {
                (None, None) => return true,
                (Some(part), Some("{id}")) if !part.is_empty() => {}
                (Some(part), Some(wanted)) if part == wanted => {}
                _ => return false,
            }
        }
    };
    ROUTES.iter().find(|(_, its, pattern)| its == method && fits(pattern)).map_or("", |(name, ..)| name)
}

/// Whether there is an operation of this name.
pub(crate) fn exists(operation: &str) -> bool {
    ROUTES.iter().any(|(name, ..)| *name == operation)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_request_is_for_the_operation_whose_path_it_is() {
        for (method, path, expected) in [
            (Method::GET, "/members", "ListMembers"),
            (Method::GET, "/members/1%2F2", "GetMember"),
            (Method::GET, "/members/", ""),
            (Method::GET, "/members/1/2", ""),
            (Method::POST, "/members", ""),
            (Method::POST, "/jobs/list", "ListClassificationJobs"),
            (Method::GET, "/jobs/list", "DescribeClassificationJob"),
        ] {
            assert_eq!(operation(&method, path), expected, "{method} {path}");
        }
    }
}
