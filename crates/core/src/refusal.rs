//! What an answer that refuses a request means.
//!
//! AWS uses one error code for very different answers: Macie's `AccessDeniedException` says that a permission is
//! missing, that Macie is not enabled, or that the account is not the administrator. Only the message tells them apart,
//! so all that knows about the wording of refusals is here. To take a missing permission for a disabled Macie would be
//! a false statement, while an unknown wording only leaves a read incomplete: when in doubt, nothing is claimed.
//!
//! Most wordings of a denial are in the IAM User Guide, "Troubleshoot access denied error messages".

/// What an answer that refuses a request means.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Refusal {
    /// Macie is not enabled in this account and Region.
    MacieNotEnabled,
    /// The account is not the administrator that the operation is for.
    NotAdministrator,
    /// Macie knows no such member.
    NoSuchMember,
    /// A permission is missing or denied.
    Denied(Denial),
}

/// Why a permission is missing, as far as the answer tells.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Denial {
    /// The kind of policy that denies the request, or that does not allow it.
    pub by: Policy,
    /// Whether a policy denies the request explicitly. It is false where no policy allows the request, and where the
    /// answer does not say.
    pub explicit: bool,
}

/// A kind of policy that can refuse a request.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Policy {
    /// The answer does not name the kind of policy.
    Unknown,
    /// A policy of the role or user that sends the request.
    Identity,
    /// A policy of the resource, such as a bucket policy or the trust policy of a role.
    Resource,
    /// A service control policy of AWS Organizations, which limits the accounts that send requests.
    ServiceControl,
    /// A resource control policy of AWS Organizations, which limits access to the resources of accounts.
    ResourceControl,
    /// The permissions boundary of the role or user that sends the request.
    PermissionsBoundary,
    /// A policy that was given when the role was assumed.
    Session,
    /// The policy of the VPC endpoint that the request goes through.
    VpcEndpoint,
}

impl Policy {
    /// The name of the kind, as AWS writes it within a sentence.
    pub fn name(self) -> &'static str {
        match self {
            Policy::Unknown => "policy",
            Policy::Identity => "identity-based policy",
            Policy::Resource => "resource-based policy",
            Policy::ServiceControl => "service control policy",
            Policy::ResourceControl => "resource control policy",
            Policy::PermissionsBoundary => "permissions boundary",
            Policy::Session => "session policy",
            Policy::VpcEndpoint => "VPC endpoint policy",
        }
    }
}

/// How the cause of a denial begins, after its article. Only the first words count, because AWS itself writes "session
/// policy" and "sessions policy", and because a name, an ARN or a second sentence may follow.
const CAUSES: [(&str, Policy); 8] = [
    ("identity-based", Policy::Identity),
    ("resource-based", Policy::Resource),
    ("role trust", Policy::Resource),
    ("service control", Policy::ServiceControl),
    ("resource control", Policy::ResourceControl),
    ("permissions boundary", Policy::PermissionsBoundary),
    ("session", Policy::Session),
    ("vpc endpoint", Policy::VpcEndpoint),
];

/// The codes that say that a permission is missing, if the message does not say something else.
const DENIALS: [&str; 10] = [
    "AccessDenied",
    "AccessDeniedException",
    "AuthorizationError",
    "AuthorizationErrorException",
    "Client.UnauthorizedOperation",
    "KMSAccessDenied",
    "KMSAccessDeniedException",
    "NotAuthorized",
    "UnauthorizedException",
    "UnauthorizedOperation",
];

/// The code for something that is not there. It is the only one that needs no words to say so.
const NOT_FOUND: &str = "ResourceNotFoundException";

/// The codes under which Macie says that it is not enabled.
const NOT_ENABLED_CODES: [&str; 2] = ["AccessDeniedException", NOT_FOUND];

/// How a sentence begins that says that Macie is not enabled.
const NOT_ENABLED: [&str; 5] = [
    "macie is not enabled",
    "macie has not been enabled",
    "macie is not currently enabled",
    "macie is disabled",
    "you must enable macie",
];

/// Words that Macie and its sister services use towards an account that is not the administrator.
///
/// The last two are how the Macie User Guide says that a member account has no settings of discovery. What the service
/// says is not published.
const NOT_ADMINISTRATOR: [&str; 7] = [
    "must be the macie administrator",
    "must be the delegated macie administrator",
    "only the delegated macie administrator",
    "not the macie administrator",
    "not an administrator for this organization",
    "member account cannot access",
    "members cannot access",
];

/// Words that say of a member that it is not there. Terraform's AWS provider has met the second to the fourth.
const NO_SUCH_MEMBER: [&str; 10] = [
    "not a member",
    "not associated with your account",
    "not an associated member",
    "member accounts are associated with your account",
    "member not found",
    "member account not found",
    "no member found",
    "no longer associated with your",
    "unable to find member",
    "member does not exist",
];

/// The codes of an answer that is about what was asked for and not about who asked. With them any words that say of a
/// member or an account that it is not there, or is not what it should be, are taken for [`Refusal::NoSuchMember`]: the
/// id was Macie's own.
const ABOUT_THE_REQUEST: [&str; 6] = [
    "BadRequestException",
    "ConflictException",
    "InvalidInputException",
    "InvalidRequestException",
    "NotFoundException",
    "ValidationException",
];

/// Words of a validator about a request that is malformed. They speak of members of other kinds.
const MALFORMED: [&str; 2] = ["failed to satisfy constraint", "must not be null"];

/// Words that deny something. In an answer about what was asked for, that the caller may not see it denies nothing.
const NEGATIONS: [&str; 5] = [" not ", "no ", "unknown", "unable to find", "cannot find"];

/// Words of Macie about the state of an account, under a code that looks like a missing permission. To allow an action
/// would change nothing there.
const OTHER_STATES: [&str; 2] = ["the request failed because", "has not been onboarded"];

/// Classifies an answer by its error code and message; `None` where it is no refusal of these kinds.
///
/// [`Refusal::NoSuchMember`] means something only for an answer of GetMember, and is to be asked of those alone: other
/// operations use the same codes and words for other things that are missing.
pub fn classify(code: &str, message: &str) -> Option<Refusal> {
    let text = plain(message);
    let coded = |codes: &[&str]| codes.iter().any(|known| known.eq_ignore_ascii_case(code));
    let says = |phrases: &[&str]| phrases.iter().any(|phrase| text.contains(phrase));
    // This is IAM's own sentence and comes first: whatever else it contains are names that people gave.
    if says(&["not authorized to "]) {
        return Some(Refusal::Denied(denial(&text)));
    }
    if says(&NOT_ADMINISTRATOR) {
        return Some(Refusal::NotAdministrator);
    }
    if coded(&NOT_ENABLED_CODES) && text.split(['.', ':']).any(is_not_enabled) {
        return Some(Refusal::MacieNotEnabled);
    }
    let denied_to_be_there =
        says(&["member", "account"]) && says(&NEGATIONS) && !says(&MALFORMED) && !says(&["not allowed"]);
    // Under a code that is about the caller, who is not a member of an organization or a group may be the caller.
    let about_the_caller = !coded(&ABOUT_THE_REQUEST) && says(&["organization", "caller"]) && !says(&["no longer"]);
    let about_the_member = says(&NO_SUCH_MEMBER) || coded(&ABOUT_THE_REQUEST) && denied_to_be_there;
    if coded(&[NOT_FOUND]) || about_the_member && !about_the_caller && !says(&MALFORMED) {
        return Some(Refusal::NoSuchMember);
    }
    (coded(&DENIALS) && !says(&OTHER_STATES)).then(|| Refusal::Denied(denial(&text)))
}

/// Whether a sentence says that Macie itself is not enabled, here. A part of Macie, or Macie in another account, is
/// not what was asked for.
fn is_not_enabled(sentence: &str) -> bool {
    let claim = sentence.rsplit("because ").next().unwrap_or(sentence).trim_start();
    NOT_ENABLED.iter().any(|start| claim.starts_with(start)) && !claim.contains("member") && !claim.contains("administ")
}

/// Reads the cause of a denial, which is the last thing that such a message says.
fn denial(text: &str) -> Denial {
    let explicit = text.rfind("explicit deny") > text.rfind("because no ");
    let marker = if explicit { "explicit deny in " } else { "because no " };
    let cause = text.rsplit_once(marker).map_or("", |(_, cause)| cause);
    // A VPC endpoint can pass on what another policy denies; that other one is what has to be changed.
    let cause = cause.rsplit_once("transitively through ").map_or(cause, |(_, cause)| cause);
    let cause = ["a ", "an ", "the "].iter().find_map(|article| cause.strip_prefix(article)).unwrap_or(cause);
    let known = CAUSES.iter().find(|(start, _)| cause.starts_with(start));
    Denial { by: known.map_or(Policy::Unknown, |(_, policy)| *policy), explicit }
}

/// The message in lower case, with plain quotes and single spaces, without short forms such as "isn't", and without
/// ARNs, since the names in them are chosen by people and may say anything.
fn plain(message: &str) -> String {
    let quotes = |letter| if matches!(letter, '\u{2018}' | '\u{2019}') { '\'' } else { letter };
    let text = message.to_lowercase().chars().map(quotes).collect::<String>();
    // S3 puts the ARN of an object into quotes, and a key may contain spaces and whole sentences.
    let parts = text.split(['"', '\u{201c}', '\u{201d}']).enumerate();
    let parts = parts.map(|(index, part)| if index % 2 == 1 && part.starts_with("arn:") { "arn" } else { part });
    let text = parts.collect::<String>();
    let words = text.split_whitespace().map(|word| if word.contains("arn:") { "arn" } else { word });
    words
        .collect::<Vec<_>>()
        .join(" ")
        .replace("can't ", "cannot ")
        .replace("n't ", " not ")
        .replace("amazon macie", "macie")
}

#[cfg(test)]
mod tests {
    use super::*;

    const USER: &str = "User: arn:aws:iam::777788889999:user/John is not authorized to perform: macie2:GetMember";

    fn denied(by: Policy, explicit: bool) -> Option<Refusal> {
        Some(Refusal::Denied(Denial { by, explicit }))
    }

    fn check(code: &str, message: &str, expected: Option<Refusal>) {
        assert_eq!(classify(code, message), expected, "{code}: {message}");
    }

    /// The endings that the IAM and S3 guides list, and endings seen in public reports.
    #[test]
    fn the_cause_of_a_denial_is_told() {
        for (ending, by, explicit) in [
            ("because no identity-based policy allows the macie2:GetMember action", Policy::Identity, false),
            ("because no resource-based policy allows the sns:Publish action", Policy::Resource, false),
            ("because no role trust policy allows the sts:AssumeRole action", Policy::Resource, false),
            ("because no service control policy allows the macie2:GetMember action", Policy::ServiceControl, false),
            ("because no resource control policy allows the s3:GetObject action", Policy::ResourceControl, false),
            ("because no permissions boundary allows the iam:GetUser action", Policy::PermissionsBoundary, false),
            ("because no session policy allows the macie2:GetMember action", Policy::Session, false),
            ("because no VPC endpoint policy allows the ses:SendEmail action", Policy::VpcEndpoint, false),
            ("with an explicit deny in an identity-based policy", Policy::Identity, true),
            ("with an explicit deny in a resource-based policy", Policy::Resource, true),
            ("with an explicit deny in the role trust policy", Policy::Resource, true),
            ("with an explicit deny in a service control policy", Policy::ServiceControl, true),
            ("with an explicit deny in a resource control policy", Policy::ResourceControl, true),
            ("with an explicit deny in a permissions boundary", Policy::PermissionsBoundary, true),
            ("with an explicit deny in a session policy", Policy::Session, true),
            ("with an explicit deny in a sessions policy", Policy::Session, true),
            ("with an explicit deny in a VPC endpoint policy", Policy::VpcEndpoint, true),
            (
                "with an explicit deny in a VPC endpoint policy transitively through a service control policy",
                Policy::ServiceControl,
                true,
            ),
            ("due to an explicit deny in a Service Control Policy", Policy::ServiceControl, true),
            ("with an\n explicit   deny in\ta “service control policy”", Policy::ServiceControl, true),
            ("WITH AN EXPLICIT DENY IN A \"SERVICE CONTROL POLICY\"", Policy::ServiceControl, true),
            ("with an explicit deny in a tag policy", Policy::Unknown, true),
            ("with an explicit deny", Policy::Unknown, true),
            ("because no tag policy allows the macie2:GetMember action", Policy::Unknown, false),
            (
                "(Your organization must first enable trusted access with AWS Account Management.)",
                Policy::Unknown,
                false,
            ),
            ("", Policy::Unknown, false),
        ] {
            for resource in ["", "on resource: arn:aws:macie2:eu-north-1:777788889999:*", "on resource: role HR"] {
                for name in
                    ["", ": arn:aws:iam::777788889999:policy/service_control_policy", ", with policy ARN: arn:aws:a"]
                {
                    check("AccessDeniedException", &format!("{USER} {resource} {ending}{name}"), denied(by, explicit));
                }
            }
        }
    }

    /// Whole messages as they were met.
    #[test]
    fn refusals_are_known_by_code_and_words() {
        let unknown = || denied(Policy::Unknown, false);
        let not_enabled = || Some(Refusal::MacieNotEnabled);
        let not_administrator = || Some(Refusal::NotAdministrator);
        let no_such_member = || Some(Refusal::NoSuchMember);
        for (code, message, expected) in [
            // Macie is not enabled: prowler#1279, mql#5988, and the tests of Mondoo's AWS provider.
            ("AccessDeniedException", "Macie is not enabled", not_enabled()),
            ("AccessDeniedException", "Macie is not enabled.", not_enabled()),
            ("accessdeniedexception", "  MACIE  is\nnot enabled for this account. ", not_enabled()),
            (
                "AccessDeniedException",
                "An error occurred (AccessDeniedException) when calling the GetMacieSession operation: Macie is not \
                 enabled",
                not_enabled(),
            ),
            (
                "AccessDeniedException",
                "The request failed because Macie isn’t enabled in the specified AWS Region.",
                not_enabled(),
            ),
            ("AccessDeniedException", "Amazon Macie isn‘t enabled. Contact your administrator.", not_enabled()),
            ("AccessDeniedException", "The request was rejected. Macie has not been enabled.", not_enabled()),
            ("ResourceNotFoundException", "Amazon Macie isn't enabled for your account", not_enabled()),
            // Something else is not enabled, or not here, or another code says so.
            ("AccessDeniedException", "Security Hub publication for Macie is not enabled", unknown()),
            ("AccessDeniedException", "Macie is not enabled for the member account", unknown()),
            ("AccessDeniedException", "Macie is not enabled for the administrator", unknown()),
            ("AccessDeniedException", "The list arn:aws:s3:::macie is not enabled", unknown()),
            ("AccessDeniedException", "Macie arn:aws:s3:::list is not enabled", unknown()),
            ("AccessDeniedException", "If Macie is not enabled, nothing is found", unknown()),
            ("AccessDenied", "Macie is not enabled", unknown()),
            ("ValidationException", "Macie is not enabled", None),
            ("AccessDeniedException", "Account Id: [123456789012] has not been onboarded", None),
            ("AccessDeniedException", "The request failed because the organization changed", None),
            // Not the administrator: awslabs/sra-verify, the Macie API Reference, landing-zone-accelerator-on-aws#413.
            (
                "AccessDeniedException",
                "The request failed because you must be the Macie administrator for an organization to perform this \
                 operation",
                not_administrator(),
            ),
            ("AccessDeniedException", "You must be the delegated Amazon Macie administrator", not_administrator()),
            (
                "AccessDeniedException",
                "Only the delegated Macie administrator account can manage organization configuration.",
                not_administrator(),
            ),
            ("ResourceNotFoundException", "you're not the Amazon Macie administrator for it", not_administrator()),
            ("InvalidAccessException", "Account 1 is not an administrator for this organization", not_administrator()),
            // No such member: terraform-provider-aws internal/service/macie2/member.go, and GuardDuty.
            ("ResourceNotFoundException", "", no_such_member()),
            // Any other words, under a code that is about the request.
            (
                "BadRequestException",
                "Account 1 could not be found, or was never one of yours: unknown",
                no_such_member(),
            ),
            ("ConflictException", "There is no account with this id", no_such_member()),
            ("InvalidInputException", "This member is not there", no_such_member()),
            ("InvalidRequestException", "The account is not known", no_such_member()),
            ("NotFoundException", "The account was not found", no_such_member()),
            ("ValidationException", "The account does not exist", no_such_member()),
            ("ValidationException", "The member doesn't exist in this organization", no_such_member()),
            ("ValidationException", "The account is no longer part of your organization", no_such_member()),
            ("ValidationException", "Unable to find member 111122223333", no_such_member()),
            ("BadRequestException", "111122223333 is not a member of your organization", no_such_member()),
            ("AccessDeniedException", "The account is no longer associated with your organization", no_such_member()),
            ("ValidationException", "Value null at 'id' failed to satisfy constraint: Member must not be null", None),
            ("ValidationException", "You are not allowed to view this member account", None),
            ("AccessDeniedException", "caller is not a member of admin group", unknown()),
            ("AccessDeniedException", "Macie is disabled for this account", not_enabled()),
            ("AccessDeniedException", "You must enable Amazon Macie before you can do this", not_enabled()),
            ("AccessDeniedException", "Macie is not currently enabled", not_enabled()),
            ("ValidationException", "The request is not valid", None),
            ("ValidationException", "The account is busy", None),
            ("InternalServerException", "The account is not known", None),
            ("ResourceNotFoundException", "Nothing found in the organization", no_such_member()),
            (
                "ValidationException",
                "The request failed because the specified account is not associated with your account",
                no_such_member(),
            ),
            ("AccessDeniedException", "The account isn’t associated with your account.", no_such_member()),
            (
                "ValidationException",
                "The request is rejected because the given account ID is not an associated member of account the \
                 current account.",
                no_such_member(),
            ),
            (
                "ConflictException",
                "The request failed because no member accounts are associated with your account",
                no_such_member(),
            ),
            ("BadRequestException", "The request is rejected because the account is not a member.", no_such_member()),
            ("InvalidInputException", "Member account not found", no_such_member()),
            ("InvalidRequestException", "Member not found", no_such_member()),
            ("ValidationException", "No member found", no_such_member()),
            ("ValidationException", "The specified member doesn't exist", no_such_member()),
            ("AWSOrganizationsNotInUseException", "Your account is not a member of an organization.", None),
            ("AccessDeniedException", "Your account is not a member of an organization.", unknown()),
            // Permissions.
            ("AccessDenied", "Access Denied", unknown()),
            ("AccessDenied", "Access denied with an explicit deny in a session policy", denied(Policy::Session, true)),
            ("AccessDeniedException", "", unknown()),
            ("AccessDeniedException", "User is not authorized to perform macie2:ListFindings", unknown()),
            ("AccessDeniedException", "User isn't authorized to access this resource", unknown()),
            (
                "AccessDeniedException",
                "User is not authorized to access this resource with an explicit deny",
                denied(Policy::Unknown, true),
            ),
            ("AuthorizationError", "Not authorized", unknown()),
            ("Unseen", &format!("{USER} with an explicit deny in a session policy"), denied(Policy::Session, true)),
            (
                "UnauthorizedOperation",
                "You are not authorized to perform this operation. User: arn:aws:iam::1:user/a is not authorized to \
                 perform: ec2:RunInstances on resource: arn:aws:ec2:us-east-1:1:instance/* with an explicit deny in a \
                 permissions boundary: arn:aws:iam::1:policy/b. Encoded authorization failure message: kZGXVHrRVyw",
                denied(Policy::PermissionsBoundary, true),
            ),
            // No refusal.
            ("ThrottlingException", "Rate exceeded", None),
            ("ValidationException", "Not authorized", None),
            ("AccessDeniedExceptions", "Access denied", None),
            ("", "", None),
        ] {
            check(code, message, expected);
        }
    }

    #[test]
    fn names_that_people_chose_say_nothing() {
        let session =
            |name: &str| format!("User: arn:aws:sts::1:assumed-role/{name}/{name} is not authorized to perform");
        let object =
            |key: &str| format!("{}: s3:GetObject on resource: \"arn:aws:s3:::bucket/{key}\"", session("role"));
        let traps = [
            "macie-is-not-enabled",
            "macie is not enabled",
            "you must be the Macie administrator",
            "not a member of your account",
            "explicit-deny-in-a-service-control-policy",
            "with an explicit deny in a service control policy",
            "because no session policy allows",
            "no_service_control_policy",
        ];
        for trap in traps {
            let name = trap.replace(' ', "-");
            let policy = format!("arn:aws:organizations::1:policy/o-1/service_control_policy/{name}");
            for (start, code) in [
                (session(&name), "AccessDeniedException"),
                (object(trap), "AccessDenied"),
                (format!("arn:aws:iam::1:user/{name} is not authorized to perform: a:B"), "ResourceNotFoundException"),
            ] {
                check(code, &start, denied(Policy::Unknown, false));
                check(
                    code,
                    &format!("{start} because no identity-based policy allows it"),
                    denied(Policy::Identity, false),
                );
                let ending = format!("with an explicit deny in a resource control policy: {policy}");
                check(code, &format!("{start} {ending}"), denied(Policy::ResourceControl, true));
            }
        }
        // Without quotes, a key with spaces cannot be told from the sentence, but what AWS says itself comes last.
        let start = format!("{}: s3:GetObject on resource: arn:aws:s3:::bucket/", session("role"));
        let (deny, none) = ("with an explicit deny in a session policy", "because no resource-based policy allows it");
        check("AccessDenied", &format!("{start}{deny} {none}"), denied(Policy::Resource, false));
        check("AccessDenied", &format!("{start}{none} {deny}"), denied(Policy::Session, true));
        let deny_again = "with an explicit deny in a service control policy";
        check("AccessDenied", &format!("{start}{deny} {deny_again}"), denied(Policy::ServiceControl, true));
        // An ARN in quotes is taken out, and words in quotes are not.
        check("AccessDeniedException", "\"Macie\" is not enabled", Some(Refusal::MacieNotEnabled));
        check("AccessDeniedException", "“arn:aws:a. Macie is not enabled” is off", denied(Policy::Unknown, false));
        check("AccessDenied", &format!("Access to “arn:aws:s3:::a b” denied {deny}"), denied(Policy::Session, true));
        check("AccessDeniedException", "arn:aws:a is off. Macie is not enabled", Some(Refusal::MacieNotEnabled));
    }

    #[test]
    fn every_code_of_a_denial_is_known() {
        for code in [
            "AccessDenied",
            "AccessDeniedException",
            "AuthorizationError",
            "AuthorizationErrorException",
            "Client.UnauthorizedOperation",
            "KMSAccessDenied",
            "KMSAccessDeniedException",
            "NotAuthorized",
            "UnauthorizedException",
            "UnauthorizedOperation",
        ] {
            check(code, "Access Denied", denied(Policy::Unknown, false));
            check(&code.to_uppercase(), "", denied(Policy::Unknown, false));
        }
    }

    #[test]
    fn every_kind_of_policy_has_the_name_that_aws_gives_it() {
        for policy in [
            Policy::Identity,
            Policy::Resource,
            Policy::ServiceControl,
            Policy::ResourceControl,
            Policy::PermissionsBoundary,
            Policy::Session,
            Policy::VpcEndpoint,
        ] {
            check("", &format!("{USER} because no {} allows it", policy.name()), denied(policy, false));
            check("", &format!("{USER} with an explicit deny in a {}", policy.name()), denied(policy, true));
        }
        assert_eq!(Policy::Unknown.name(), "policy");
        assert_eq!(Policy::VpcEndpoint.name(), "VPC endpoint policy");
    }
}
