//! What the mail says of what could not be read: failed reads are listed together by their reason.

use macie_compliance_core::api::Api;
use macie_compliance_core::evidence::Evidence;
use macie_compliance_core::names::MACIE_REGIONS;
use macie_compliance_core::testing::{self, ACCOUNT, clean, flat, refusal, report, target, with_failed_read};

fn healthy(account: u64, region: &str) -> Evidence {
    clean(target(account, region))
}

fn mail(evidence: &[Evidence]) -> String {
    testing::mail(&report(evidence))
}

/// The items of a mail's lists, each on one line.
fn items(mail: &str) -> Vec<String> {
    let listed = mail.split("COULD NOT BE READ").nth(1).and_then(|rest| rest.split("COUNTS").next());
    listed.unwrap_or_default().split("\n- ").skip(1).map(flat).collect()
}

#[test]
fn failures_are_listed_together_only_where_they_are_the_same() {
    let failed = |evidence, api, code, message| with_failed_read(evidence, api, code, message);
    let one = failed(healthy(1, "eu-west-1"), Api::ListMembers, "Code", "message");
    let one = failed(one, Api::ListInvitations, "Code", "message");
    let one = failed(one, Api::ListFindingsFilters, "Code", "another");
    let one = failed(one, Api::GetMacieSession, "Other", "message");
    let two = failed(healthy(1, "eu-west-2"), Api::ListMembers, "Code", "message");
    let three = failed(healthy(2, "eu-west-2"), Api::ListMembers, "Code", "message");
    assert_eq!(
        items(&mail(&[one, two, three])),
        [
            "ListFindingsFilters in account 000000000001, eu-west-1: Code (another)",
            "ListMembers in accounts 000000000001 and 000000000002, eu-west-2: Code (message)",
            "ListMembers, ListInvitations in account 000000000001, eu-west-1: Code (message)",
            "GetMacieSession in account 000000000001, eu-west-1: Other (message)",
        ]
    );
}

#[test]
fn failures_of_two_services_are_two_items() {
    let one = with_failed_read(healthy(1, "eu-west-1"), Api::AssumeRole, "AccessDenied", "Access denied");
    let two = with_failed_read(healthy(1, "eu-west-2"), Api::ListMembers, "AccessDenied", "Access denied");
    let items = items(&mail(&[one, two]));
    assert_eq!(items.len(), 2);
    assert!(
        items[0].starts_with(
            "ListMembers in account 000000000001, eu-west-2: not allowed (AccessDenied) Fix: allow macie2:"
        ),
        "{items:?}"
    );
    assert!(
        items[1]
            .starts_with("AssumeRole in account 000000000001, eu-west-1: not allowed (AccessDenied) Fix: allow sts:"),
        "{items:?}"
    );
    assert!(items[1].ends_with("AWS says: Access denied"), "{items:?}");
}

#[test]
fn a_refusal_without_words_is_not_quoted() {
    let mail = mail(&[with_failed_read(healthy(1, "eu-west-1"), Api::ListMembers, "AccessDeniedException", "")]);
    assert!(!mail.contains("AWS says"), "{mail}");
}

#[test]
fn twenty_failures_are_listed_and_the_rest_are_counted() {
    let of = |number: usize| {
        let failed = |index: usize| {
            with_failed_read(healthy(1, &format!("eu-west-{index}")), Api::ListMembers, &format!("Code{index:02}"), "")
        };
        mail(&(0..number).map(failed).collect::<Vec<_>>())
    };
    assert!(!of(20).contains(" more"), "{}", of(20));
    assert!(of(20).contains("eu-west-19: Code19\n"));
    assert!(of(22).contains("And 2 more;") && !of(22).contains("Code20"), "{}", of(22));
}

#[test]
fn regions_that_a_policy_denies_are_one_item_with_cause_and_advice() {
    let apis = [
        Api::GetMacieSession,
        Api::GetAdministratorAccount,
        Api::ListMembers,
        Api::ListInvitations,
        Api::ListFindingsFilters,
    ];
    let regions = &MACIE_REGIONS[..6];
    let reason = "with an explicit deny in a service control policy: arn:aws:organizations::111122223333:policy/o-exampleorgid/service_control_policy/p-examplepolicyid";
    let denied = |region: &&str| {
        apis.iter().fold(healthy(1, region), |evidence, api| {
            with_failed_read(evidence, *api, "AccessDeniedException", &refusal(*api, region, reason))
        })
    };
    let mail = mail(&regions.iter().map(denied).collect::<Vec<_>>());
    let [item] = items(&mail).try_into().expect("one item");
    let (place, advice) = item.split_once(" Fix: ").expect("advice");
    for api in apis {
        assert!(place.contains(api.operation()), "{place}");
    }
    for region in regions {
        assert!(place.contains(region) && advice.contains(region), "{item}");
    }
    assert!(place.ends_with(": denied by a service control policy (AccessDeniedException)"), "{place}");
    assert!(
        advice.contains("out of MACIE_REGIONS (parameter MacieRegions) if the organization keeps these Regions closed"),
        "{advice}"
    );
    assert!(
        advice.contains("AWS says:") && advice.contains("with an explicit deny in a service control policy"),
        "{advice}"
    );
}

#[test]
fn a_permission_that_is_missing_everywhere_is_one_item_with_every_region() {
    let reason = "because no identity-based policy allows the macie2:ListInvitations action";
    let missing = |region: &&str| {
        let message = refusal(Api::ListInvitations, region, reason);
        with_failed_read(healthy(1, region), Api::ListInvitations, "AccessDeniedException", &message)
    };
    let [item] = items(&mail(&MACIE_REGIONS.iter().map(missing).collect::<Vec<_>>())).try_into().expect("one item");
    assert!(item.starts_with("ListInvitations in account 000000000001, af-south-1, "), "{item}");
    for region in MACIE_REGIONS {
        assert!(item.contains(region), "{region} in {item}");
    }
    assert!(item.contains(": not allowed by any identity-based policy (AccessDeniedException) Fix: allow macie2:ListInvitations in account"), "{item}");
}

#[test]
fn no_refusal_is_cut_before_its_cause() {
    let user =
        format!("User: arn:aws:sts::{ACCOUNT}:assumed-role/{}/{} is not authorized", "r".repeat(64), "s".repeat(64));
    let message = format!(
        "{user} to perform: macie2:ListMembers on resource: arn:aws:macie2:x:{} with an explicit deny in a permissions boundary",
        "y".repeat(600)
    );
    let mail = mail(&[with_failed_read(healthy(1, "eu-west-1"), Api::ListMembers, "AccessDeniedException", &message)]);
    assert!(flat(&mail).contains("with an explicit deny in a permissions boundary COUNTS"), "{mail}");
    assert!(flat(&mail).contains(": denied by a permissions boundary ("), "{mail}");
}

#[test]
fn two_policies_that_deny_are_two_items_and_one_that_denies_in_many_places_is_one() {
    let denied = |region: &str, policy: &str| {
        let message = format!(
            "User: arn:aws:sts::999999999999:assumed-role/x/y is not authorized to perform: macie2:ListMembers on resource: arn:aws:macie2:{region}:999999999999:* with an explicit deny in a service control policy: arn:aws:organizations::111122223333:policy/o-a/service_control_policy/{policy}"
        );
        with_failed_read(healthy(1, region), Api::ListMembers, "AccessDeniedException", &message)
    };
    let run = [denied("eu-west-1", "p-aaaa"), denied("eu-west-2", "p-bbbb"), denied("us-east-1", "p-aaaa")];
    let mail = mail(&run).split_whitespace().collect::<Vec<_>>().join(" ");
    assert_eq!(mail.matches("- ListMembers in account 000000000001, ").count(), 2, "{mail}");
    assert!(
        mail.contains("account 000000000001, eu-west-1 and us-east-1: denied by a service control policy"),
        "{mail}"
    );
    assert!(mail.contains("p-aaaa") && mail.contains("p-bbbb"), "{mail}");
}
