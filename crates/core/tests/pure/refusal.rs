//! What answers that refuse a request are taken for.

use macie_compliance_core::refusal::{Denial, Policy, Refusal, classify};

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
        ("(Your organization must first enable trusted access with AWS Account Management.)", Policy::Unknown, false),
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
        ("BadRequestException", "Account 1 could not be found, or was never one of yours: unknown", no_such_member()),
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
    let session = |name: &str| format!("User: arn:aws:sts::1:assumed-role/{name}/{name} is not authorized to perform");
    let object = |key: &str| format!("{}: s3:GetObject on resource: \"arn:aws:s3:::bucket/{key}\"", session("role"));
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
