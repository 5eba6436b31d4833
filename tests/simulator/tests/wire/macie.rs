//! Macie, STS and Account answer as the services do.

use crate::client::{ask, ask_as, exchange, form};
use serde_json::{Value, json};
use simulator::{Paging, RegionSeed, RoleSeed, Seed, Simulator, TargetSeed};

fn list(api: &str, token: Option<&str>, more: &str) -> String {
    let token = token.map_or(String::new(), |token| format!("&{}", form(&[("nextToken", token)])));
    format!("GET /{api}?maxResults=25{token}{more}")
}

async fn start(target: TargetSeed) -> Simulator {
    let seed = Seed {
        targets: vec![target],
        paging: Paging { token_length: 400, empty_page_every: 3, max_page: 25 },
        ..Seed::default()
    };
    Simulator::start(seed).await.expect("it starts")
}

fn of_members(count: u64) -> TargetSeed {
    TargetSeed { members: vec![json!({ "count": count })], ..TargetSeed::default() }
}

#[tokio::test]
async fn every_member_is_read_once_over_empty_pages_and_long_tokens() {
    let simulator = start(of_members(310)).await;
    let (mut token, mut ids, mut empty) = (None::<String>, Vec::new(), 0);
    loop {
        let line = list("members", token.as_deref(), "&onlyAssociated=false");
        let page = ask(&simulator, "macie2", &line, "").await.json();
        let members = page["members"].as_array().expect("a list");
        empty += usize::from(members.is_empty());
        let read = members.iter().map(|member| member["accountId"].to_string());
        ids.extend(read);
        match page["nextToken"].as_str() {
            Some(next) => token = Some(next.to_owned()),
            None => break,
        }
    }
    assert_eq!((ids.len(), empty), (310, 4));
    ids.sort();
    ids.dedup();
    assert_eq!(ids.len(), 310);
    let requests = simulator.requests();
    assert_eq!(requests.len(), 17);
    assert!(requests.iter().all(|request| request.status == Some(200)));
    assert_eq!(requests[1].query["onlyAssociated"], "false");
    assert_eq!(requests[1].query["nextToken"].len(), 400);
    assert_eq!(simulator.most_in_flight(), 1);
    simulator.clear();
    assert!(simulator.requests().is_empty());
}

#[tokio::test]
async fn a_foreign_token_and_a_wrong_parameter_are_refused() {
    let simulator = start(TargetSeed { invitations: vec![json!({"count": 60})], ..of_members(60) }).await;
    let first = list("members", None, "&onlyAssociated=false");
    let page = ask(&simulator, "macie2", &first, "").await.json();
    let token = page["nextToken"].as_str().expect("a token");
    let unencoded = format!("GET /members?maxResults=25&nextToken={token}&onlyAssociated=false");
    for line in [
        list("members", Some(token), ""),
        list("members", Some(token), "&onlyAssociated=true"),
        list("invitations", Some(token), ""),
        list("members", Some("made-up"), "&onlyAssociated=false"),
        list("members", Some(""), "&onlyAssociated=false"),
        unencoded,
        "GET /members?maxResults=26".to_owned(),
        "GET /members?maxResults=0".to_owned(),
        "GET /members?maxResults=many".to_owned(),
        "GET /members?onlyAssociated=maybe".to_owned(),
    ] {
        let heard = ask(&simulator, "macie2", &line, "").await;
        assert_eq!(heard.status(), 400, "{line}");
        assert_eq!(heard.header("x-amzn-errortype"), Some("ValidationException"));
        assert!(heard.json()["message"].is_string());
        assert!(heard.header("x-amzn-requestid").is_some());
    }
    let right = list("members", Some(token), "&onlyAssociated=false");
    assert_eq!(ask(&simulator, "macie2", &right, "").await.status(), 200);
    let elsewhere = ask_as(&simulator, "AKID", "eu-west-1", "macie2", &right, "").await;
    assert_eq!(elsewhere.status(), 400);
}

#[tokio::test]
async fn single_reads_answer_what_the_seed_says() {
    let simulator = start(TargetSeed {
        administrator: Some(json!({"relationshipStatus": "RegionDisabled"})),
        findings_filters: vec![json!({"id": "f/1", "action": "ARCHIVE"})],
        ..of_members(1)
    })
    .await;
    let read = async |path: &str| ask(&simulator, "macie2", &format!("GET {path}"), "").await;
    let status = |answer: &Value| answer["relationshipStatus"].clone();
    let administrator = read("/administrator").await.json();
    assert_eq!(status(&administrator["administrator"]), "RegionDisabled");
    let master = read("/master").await.json();
    assert_eq!(master["master"], administrator["administrator"]);
    assert_eq!(read("/macie").await.json()["status"], "ENABLED");
    assert_eq!(status(&read("/members/100000000001").await.json()), "Enabled");
    assert_eq!(read("/findingsfilters/f%2F1").await.json()["position"], 1);
    let missing = read("/members/5").await;
    assert_eq!(missing.status(), 404);
    let code = missing.header("x-amzn-errortype");
    assert_eq!(code, Some("ResourceNotFoundException"));
    assert_eq!(read("/buckets").await.status(), 404);
}

#[tokio::test]
async fn macie_is_off_or_the_region_is() {
    let seed = Seed {
        targets: vec![TargetSeed {
            region: "us-east-1".to_owned(),
            enabled: false,
            not_enabled_status: 401,
            ..TargetSeed::default()
        }],
        regions: vec![RegionSeed { name: "me-south-1".to_owned(), opt_status: "DISABLED".to_owned() }],
        ..Seed::default()
    };
    let simulator = Simulator::start(seed).await.expect("it starts");
    for (region, status, code) in [
        ("us-east-1", 401, "AccessDeniedException"),
        ("eu-west-1", 403, "AccessDeniedException"),
        ("me-south-1", 403, "UnrecognizedClientException"),
    ] {
        let heard = ask_as(&simulator, "AKID", region, "macie2", "GET /macie", "").await;
        assert_eq!(heard.status(), status);
        assert_eq!(heard.header("x-amzn-errortype"), Some(code));
    }
    let unsigned = exchange(&simulator.url()[7..], "GET /macie", "", "").await;
    assert_eq!(unsigned.status(), 403);
}

#[tokio::test]
async fn an_assumed_role_is_another_account() {
    let arn = "arn:aws:iam::111111111111:role/path/auditor";
    let role = RoleSeed { external_id: Some("secret".to_owned()), ..RoleSeed::default() };
    let seed = Seed {
        targets: vec![TargetSeed { account_id: Some("111111111111".to_owned()), ..of_members(1) }],
        roles: [(arn.to_owned(), role)].into(),
        ..Seed::default()
    };
    let simulator = Simulator::start(seed).await.expect("it starts");
    let assume = async |arn: &str, external_id: &str| {
        let body = form(&[
            ("Action", "AssumeRole"),
            ("RoleArn", arn),
            ("RoleSessionName", "audit"),
            ("ExternalId", external_id),
        ]);
        ask(&simulator, "sts", "POST /", &body).await
    };
    for (arn, external_id, status) in [
        (arn, "wrong", 403),
        ("arn:aws:iam::222222222222:role/auditor", "secret", 403),
        ("arn:aws:iam::2:role/auditor", "secret", 400),
    ] {
        assert_eq!(assume(arn, external_id).await.status(), status);
    }
    let heard = assume(arn, "secret").await;
    let (_, rest) = heard.body.split_once("<AccessKeyId>").expect("a key");
    let (key, _) = rest.split_once('<').expect("its end");
    let mine = ask(&simulator, "macie2", "GET /members", "").await;
    assert_eq!(mine.status(), 403);
    let theirs = ask_as(&simulator, key, "us-east-1", "macie2", "GET /members", "").await;
    assert!(theirs.body.contains(":111111111111:member/"));
    let identity = form(&[("Action", "GetCallerIdentity")]);
    let heard = ask_as(&simulator, key, "us-east-1", "sts", "POST /", &identity).await;
    assert!(heard.body.contains("<Account>111111111111</Account>"));
    let accounts: Vec<_> = simulator.requests().into_iter().map(|it| it.account).collect();
    assert_eq!(accounts[4..], ["999999999999", "111111111111", "111111111111"]);
}

#[tokio::test]
async fn regions_are_listed_in_pages() {
    let simulator = Simulator::start(Seed::default()).await.expect("it starts");
    let read = async |body: Value| {
        let body = body.to_string();
        ask(&simulator, "account", "POST /listRegions", &body).await.json()
    };
    let first = read(json!({"MaxResults": 20})).await;
    assert_eq!(first["Regions"].as_array().map(Vec::len), Some(20));
    let token = &first["NextToken"];
    let second = read(json!({"MaxResults": 20, "NextToken": token})).await;
    assert_eq!(second["Regions"].as_array().map(Vec::len), Some(2));
    assert_eq!(second.get("NextToken"), None);
    let none = read(json!({"RegionOptStatusContains": ["DISABLED"]})).await;
    assert_eq!(none["Regions"], json!([]));
}

#[tokio::test]
async fn ten_thousand_members_take_well_under_a_second_to_page() {
    let simulator = start(TargetSeed { region: "us-east-1".to_owned(), ..of_members(10_000) }).await;
    let began = std::time::Instant::now();
    let (mut token, mut pages) = (None::<String>, 0);
    loop {
        let line = list("members", token.as_deref(), "");
        let page = ask(&simulator, "macie2", &line, "").await.json();
        pages += 1;
        token = page["nextToken"].as_str().map(str::to_owned);
        if token.is_none() {
            break;
        }
    }
    assert_eq!(pages, 533);
    // A bound that only a change for the worse can miss, on however busy a machine.
    assert!(began.elapsed().as_secs() < 5, "{:?}", began.elapsed());
}
