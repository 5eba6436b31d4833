//! Automated sensitive data discovery: whether it is on, for whom, and what it leaves out.

use std::collections::BTreeMap;

use serde_json::{Map, Value, json};

use crate::items::{LONG_AGO, RECENTLY, expand, filled, object, texts};
use crate::lists::Lists;
use crate::seed::TargetSeed;
use crate::wire::{ServiceError, found};

/// The one scope and the one template of an account in a Region.
const SCOPE: &str = "5c09e000000000000000000000000001";
const TEMPLATE: &str = "7e391a7e000000000000000000000001";
const NAME: &str = "automated-sensitive-data-discovery";

/// Some of the managed data identifiers that Macie has, by category.
const IDENTIFIERS: [(&str, &[&str]); 3] = [
    (
        "CREDENTIALS",
        &[
            "AWS_CREDENTIALS",
            "HTTP_BASIC_AUTH_HEADER",
            "HTTP_COOKIE",
            "JSON_WEB_TOKEN",
            "OPENSSH_PRIVATE_KEY",
            "PGP_PRIVATE_KEY",
            "PKCS",
            "PUTTY_PRIVATE_KEY",
            "STRIPE_CREDENTIALS",
        ],
    ),
    (
        "FINANCIAL_INFORMATION",
        &[
            "BANK_ACCOUNT_NUMBER",
            "CREDIT_CARD_EXPIRATION",
            "CREDIT_CARD_MAGNETIC_STRIPE",
            "CREDIT_CARD_NUMBER",
            "CREDIT_CARD_SECURITY_CODE",
            "FRANCE_BANK_ACCOUNT_NUMBER",
            "GERMANY_BANK_ACCOUNT_NUMBER",
            "UK_BANK_ACCOUNT_NUMBER",
        ],
    ),
    (
        "PERSONAL_INFORMATION",
        &[
            "ADDRESS",
            "DATE_OF_BIRTH",
            "FRANCE_PASSPORT_NUMBER",
            "GERMANY_DRIVERS_LICENSE",
            "GERMANY_PASSPORT_NUMBER",
            "LATITUDE_LONGITUDE",
            "NAME",
            "PHONE_NUMBER",
            "UK_NATIONAL_INSURANCE_NUMBER",
            "USA_PASSPORT_NUMBER",
            "USA_SOCIAL_SECURITY_NUMBER",
            "VEHICLE_IDENTIFICATION_NUMBER",
        ],
    ),
];

/// Discovery in a target.
#[derive(Debug)]
pub(crate) struct Discovery {
    configuration: String,
    accounts: Vec<String>,
    scope: String,
    template: String,
    identifiers: Vec<String>,
}

impl Discovery {
    /// Whether an operation is about discovery, which a member account may not look at.
    pub(crate) fn answers(operation: &str) -> bool {
        matches!(
            operation,
            "GetAutomatedDiscoveryConfiguration"
                | "GetClassificationScope"
                | "GetSensitivityInspectionTemplate"
                | "ListAutomatedDiscoveryAccounts"
                | "ListClassificationScopes"
                | "ListSensitivityInspectionTemplates"
        )
    }

    /// `accounts` are the ids of the account itself and of those that it watches.
    pub(crate) fn render<'a>(seed: &TargetSeed, accounts: impl Iterator<Item = &'a str>) -> Discovery {
        let configuration = filled(seed.discovery.clone(), || configuration(&seed.discovery));
        let status = configuration.get("status").cloned().unwrap_or_default();
        let mut statuses: BTreeMap<&str, &Value> = accounts.map(|id| (id, &status)).collect();
        statuses.extend(seed.discovery_accounts.iter().map(|(id, status)| (id.as_str(), status)));
        let there = statuses.into_iter().filter(|(_, status)| !status.is_null());
        let names = expand(
            &seed.excluded_buckets,
            "name",
            |number| format!("excluded-{number}"),
            |name, _| object(json!({ "name": name })),
        );
        let names: Vec<_> = names.iter().map(|it| it.get("name").unwrap_or(it)).collect();
        let template = filled(seed.discovery_template.clone(), template);
        let identifiers = match &seed.managed_data_identifiers {
            Some(given) => texts(given.iter()),
            None => identifiers(),
        };
        Discovery {
            configuration: Value::Object(configuration).to_string(),
            accounts: there.map(|(id, status)| json!({"accountId": id, "status": status}).to_string()).collect(),
            scope: json!({"id": SCOPE, "name": NAME, "s3": {"excludes": {"bucketNames": names}}}).to_string(),
            template: Value::Object(template).to_string(),
            identifiers,
        }
    }

    /// The answer to an operation about discovery.
    pub(crate) fn answer(&self, lists: &Lists<'_>) -> Result<String, ServiceError> {
        let call = lists.call;
        match call.operation.as_str() {
            "GetAutomatedDiscoveryConfiguration" => Ok(self.configuration.clone()),
            "GetClassificationScope" => found((call.resource == SCOPE).then(|| self.scope.clone())),
            "GetSensitivityInspectionTemplate" => found((call.resource == TEMPLATE).then(|| self.template.clone())),
            "ListAutomatedDiscoveryAccounts" if call.parameter("accountIds").is_some() => {
                Err(ServiceError::validation("The simulator has no accountIds"))
            }
            "ListAutomatedDiscoveryAccounts" => lists.by_query("items", &self.accounts),
            "ListClassificationScopes" => {
                let name = call.parameter("name");
                let scopes = [json!({"id": SCOPE, "name": NAME}).to_string()];
                let scopes = if name.is_none_or(|name| name == NAME) { &scopes[..] } else { &[] };
                // There is no maxResults here.
                lists.page("classificationScopes", scopes, 25, call.parameter("nextToken"), format!("{name:?}"))
            }
            _ => {
                let templates = [json!({"id": TEMPLATE, "name": NAME}).to_string()];
                lists.by_query("sensitivityInspectionTemplates", &templates)
            }
        }
    }

    /// The answer to ListManagedDataIdentifiers, which takes a token and nothing else.
    pub(crate) fn list_identifiers(&self, lists: &Lists<'_>) -> Result<String, ServiceError> {
        let asked: BTreeMap<String, String> = lists.call.json_or_default()?;
        lists.page("items", &self.identifiers, 25, asked.get("nextToken").map(String::as_str), String::new())
    }
}

fn configuration(given: &Map<String, Value>) -> Map<String, Value> {
    let mut configuration = object(json!({
        "autoEnableOrganizationMembers": "ALL",
        "classificationScopeId": SCOPE,
        "firstEnabledAt": LONG_AGO,
        "lastUpdatedAt": RECENTLY,
        "sensitivityInspectionTemplateId": TEMPLATE,
        "status": "ENABLED",
    }));
    if given.get("status") == Some(&json!("DISABLED")) {
        configuration.insert("disabledAt".to_owned(), json!(RECENTLY));
    }
    configuration
}

fn template() -> Map<String, Value> {
    object(json!({
        "excludes": {"managedDataIdentifierIds": []},
        "includes": {"allowListIds": [], "customDataIdentifierIds": [], "managedDataIdentifierIds": []},
        "name": NAME,
        "sensitivityInspectionTemplateId": TEMPLATE,
    }))
}

fn identifiers() -> Vec<String> {
    let of = |(category, ids): (&str, &[&str])| -> Vec<String> {
        ids.iter().map(|id| json!({"category": category, "id": id}).to_string()).collect()
    };
    IDENTIFIERS.into_iter().flat_map(of).collect()
}
