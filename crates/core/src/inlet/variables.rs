//! The environment variables that a user can set, as documentation lists them.

/// An environment variable.
#[derive(Clone, Copy, Debug)]
pub struct Variable {
    /// Its name.
    pub name: &'static str,
    /// The parameter of the template that sets it; none where the template sets it by itself.
    pub parameter: Option<&'static str>,
    /// What counts when it is not set.
    pub default: &'static str,
    /// What it may be.
    pub values: &'static str,
    /// What it does.
    pub meaning: &'static str,
}

/// Every variable of the function's own, in the order in which documentation lists them.
pub const VARIABLES: &[Variable] = &[
    Variable {
        name: "REPORT_TOPIC_ARN",
        parameter: Some("ReportTopicArn"),
        default: "required",
        values: "the ARN of an SNS topic, standard or FIFO",
        meaning: "where the report is published",
    },
    Variable {
        name: "MACIE_REGIONS",
        parameter: Some("MacieRegions"),
        default: "the function's own Region",
        values: "Region codes separated by commas, or `all` alone",
        meaning: "the Regions to audit. `all`: every Region that offers Macie and that the account has not disabled",
    },
    Variable {
        name: "AUDIT_OWN_ACCOUNT",
        parameter: Some("AuditOwnAccount"),
        default: "`true`",
        values: "`true` or `false`",
        meaning: "`false` audits only the accounts of `MACIE_ROLE_ARNS`, for a function that runs in an account without Macie",
    },
    Variable {
        name: "MACIE_ROLE_ARNS",
        parameter: Some("MacieRoleArns"),
        default: "none",
        values: "ARNs of IAM roles separated by commas, one for each account",
        meaning: "roles to assume in other Macie administrator accounts",
    },
    Variable {
        name: "MACIE_ROLE_EXTERNAL_IDS",
        parameter: Some("MacieRoleExternalIds"),
        default: "none",
        values: "`ACCOUNT=EXTERNAL_ID` separated by commas; 2 to 1,224 letters, digits and `_+=.@:/-`",
        meaning: "the external ids that these roles require",
    },
    Variable {
        name: "EXPECTED_ADMINISTRATOR",
        parameter: Some("ExpectedAdministrator"),
        default: "none",
        values: "account ids separated by commas",
        meaning: "the Macie administrators that are expected: each audited account is one of them or belongs to one of them. Without it, `administrator-unexpected` and `invitation-unexpected` do not apply",
    },
    Variable {
        name: "DISABLED_RULES",
        parameter: Some("DisabledRules"),
        default: "none",
        values: "rule ids separated by commas; one that ends in `*` stands for every rule that begins so",
        meaning: "rules that are not judged. What no other rule needs is not read, and needs no permission. Every report and mail names them",
    },
    Variable {
        name: "NOTIFY_ON",
        parameter: Some("NotifyOn"),
        default: "`always`",
        values: "`always`, `problems` or `changes`",
        meaning: "`problems` publishes only when the verdict is not `COMPLIANT`, and with `EVIDENCE_BUCKET` a last time when something was resolved. `changes` needs `EVIDENCE_BUCKET` and publishes only when something is new, resolved or unknown against the last run, an exemption ended, the exemptions could not be read, the verdict differs, or not everything was read",
    },
    Variable {
        name: "FAIL_ON",
        parameter: Some("FailOn"),
        default: "`LOW`",
        values: "`CRITICAL`, `HIGH`, `MEDIUM` or `LOW`",
        meaning: "the least severity that makes the verdict `NON_COMPLIANT`. Lesser violations are listed and counted all the same",
    },
    Variable {
        name: "EXEMPTIONS_URI",
        parameter: Some("ExemptionsKey"),
        default: "none",
        values: "`s3://BUCKET/KEY`; the key has letters, digits and `/_.-` only",
        meaning: "the document that says what is accepted, and until when",
    },
    Variable {
        name: "INCLUDE_EMAILS",
        parameter: Some("IncludeEmails"),
        default: "`false`",
        values: "`true` or `false`",
        meaning: "whether reports name flagged members by their e-mail addresses too",
    },
    Variable {
        name: "MAX_CONCURRENCY",
        parameter: Some("MaxConcurrency"),
        default: "64",
        values: "1 to 1000",
        meaning: "requests in flight at once, over all accounts and Regions",
    },
    Variable {
        name: "DEADLINE_MARGIN_SECONDS",
        parameter: Some("DeadlineMarginSeconds"),
        default: "10",
        values: "0 to 600",
        meaning: "time kept before the Lambda deadline to publish what was read; at least 3 seconds are kept, and at least a tenth of the time is for reading",
    },
    Variable {
        name: "EVIDENCE_BUCKET",
        parameter: Some("Evidence"),
        default: "none",
        values: "the name of an S3 bucket, without dots",
        meaning: "the bucket for reports, for what the last run found, and for the documents of a divided run",
    },
    Variable {
        name: "EVIDENCE_KMS_KEY_ARN",
        parameter: Some("BucketKeyArn"),
        default: "none: S3's own key",
        values: "the ARN of a KMS key",
        meaning: "the key that encrypts what is written to the bucket",
    },
    Variable {
        name: "EVIDENCE_OBJECT_LOCK",
        parameter: Some("EvidenceObjectLock"),
        default: "none",
        values: "`GOVERNANCE:DAYS` or `COMPLIANCE:DAYS`",
        meaning: "for how long stored reports can be neither deleted nor changed. The template sets it from `EvidenceObjectLock` and `EvidenceObjectLockDays`",
    },
    Variable {
        name: "MAX_PARTS",
        parameter: Some("MaxParts"),
        default: "10",
        values: "1 to 1000",
        meaning: "with `EVIDENCE_BUCKET`: a report that needs more messages is published as one that points to the stored report",
    },
];
