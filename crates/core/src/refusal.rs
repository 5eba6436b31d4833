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
