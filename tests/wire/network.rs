//! What lies between the function and AWS: proxies, the endpoints of each service, connections that die
//! without a word, and host names that do not exist.

use std::collections::BTreeSet;
use std::future::pending;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant};

use futures_util::future::join_all;
use serde_json::{Value, json};
use simulator::lambda::{Invocation, Outcome};
use simulator::{Fault, RegionSeed, Seed, TargetSeed};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::watch;
use tokio::task::AbortHandle;

use crate::function::{ACCOUNT, Function, error, failed_start, healthy, seed, text, violations, with_seconds};

const ROLE: (&str, &str) = ("MACIE_ROLE_ARNS", "arn:aws:iam::111122223333:role/audit");
const ALL: (&str, &str) = ("MACIE_REGIONS", "all");
const BUCKET: (&str, &str) = ("EVIDENCE_BUCKET", "results");
/// The function is started with an endpoint of its own; this has the SDK pass over it.
const NO_ENDPOINT: (&str, &str) = ("AWS_IGNORE_CONFIGURED_ENDPOINT_URLS", "true");

/// A host name that cannot exist, since a label has at most 63 characters. It is told from others without
/// a question to any name server, so that there need not be one.
const IMPOSSIBLE: &str = "http://aaaaaaaaaabbbbbbbbbbccccccccccddddddddddeeeeeeeeeeffffffffffgggg.invalid";

const UNKNOWN_REGION: &str = "ap-southeast-5";

/// A seed of two accounts, the function's own and one that a role opens.
fn two_accounts() -> Seed {
    let theirs = TargetSeed { account_id: Some("111122223333".to_owned()), ..healthy() };
    Seed { targets: vec![healthy(), theirs], ..Seed::default() }
}

fn invocation(seconds: u64, event: Value) -> Invocation {
    Invocation { event: event.to_string().into_bytes(), ..with_seconds(seconds) }
}

/// The address in `http://address`.
fn address(url: &str) -> String {
    url.trim_start_matches("http://").to_owned()
}

/// A divided run, driven as the state machine drives it.
async fn divided(function: &Function, event: Value) -> Value {
    function.answer(json!({"step": "ListTargets", "execution": "e-1", "event": event})).await;
    for item in items(function) {
        function.answer(json!({"step": "AuditTarget", "execution": "e-1", "target": item})).await;
    }
    function.answer(json!({"step": "PublishReport", "execution": "e-1"})).await
}

fn items(function: &Function) -> Vec<Value> {
    let items = function.aws.object("runs/e-1/targets.json").expect("the targets are handed on");
    serde_json::from_slice(&items).expect("a list")
}

/// A proxy. It leads every plain request to the one address that it knows, whatever the host, and refuses
/// every tunnel.
struct Proxy {
    url: String,
    leads_to: Arc<Mutex<String>>,
    asked: Arc<Mutex<Vec<String>>>,
    task: AbortHandle,
}

impl Proxy {
    async fn start() -> Proxy {
        let listener = TcpListener::bind("127.0.0.1:0").await.expect("a free port");
        let url = format!("http://{}", listener.local_addr().expect("it listens"));
        let (leads_to, asked) = (Arc::new(Mutex::new(String::new())), Arc::new(Mutex::new(Vec::new())));
        let (to, hosts) = (Arc::clone(&leads_to), Arc::clone(&asked));
        let accept = tokio::spawn(async move {
            while let Ok((client, _)) = listener.accept().await {
                let to = to.lock().expect("nobody panics while holding it").clone();
                tokio::spawn(Proxy::serve(client, to, Arc::clone(&hosts)));
            }
        });
        Proxy { url, leads_to, asked, task: accept.abort_handle() }
    }

    async fn serve(mut client: TcpStream, to: String, asked: Arc<Mutex<Vec<String>>>) {
        let mut head = Vec::new();
        while !head.windows(4).any(|part| part == b"\r\n\r\n") {
            if client.read_buf(&mut head).await.unwrap_or(0) == 0 {
                return;
            }
        }
        let line = String::from_utf8_lossy(&head).lines().next().unwrap_or_default().to_owned();
        let target = line.split(' ').nth(1).unwrap_or_default();
        let is_tunnel = line.starts_with("CONNECT ");
        let host = if is_tunnel { target } else { target.split('/').nth(2).unwrap_or("no host at all") };
        asked.lock().expect("nobody panics while holding it").push(host.to_owned());
        if is_tunnel {
            let refusal = b"HTTP/1.1 502 Bad Gateway\r\ncontent-length: 0\r\nconnection: close\r\n\r\n";
            let _gone = client.write_all(refusal).await;
            return;
        }
        let mut server = TcpStream::connect(to).await.expect("the simulator listens");
        server.write_all(&head).await.expect("the simulator reads");
        let _end = tokio::io::copy_bidirectional(&mut client, &mut server).await;
    }

    fn lead_to(&self, url: &str) {
        *self.leads_to.lock().expect("nobody panics while holding it") = address(url);
    }

    /// The hosts of the connections so far, and their ports where they were told.
    fn asked(&self) -> BTreeSet<String> {
        self.asked.lock().expect("nobody panics while holding it").iter().cloned().collect()
    }
}

impl Drop for Proxy {
    fn drop(&mut self) {
        self.task.abort();
    }
}

#[tokio::test]
async fn a_whole_run_goes_through_the_proxy_to_a_host_that_only_the_proxy_knows() {
    for name in ["HTTP_PROXY", "http_proxy"] {
        let proxy = Proxy::start().await;
        let variables = [
            (name, proxy.url.as_str()),
            ("AWS_ENDPOINT_URL", "http://aws.only-the-proxy-knows.invalid"),
            ROLE,
            ALL,
            BUCKET,
        ];
        let function = Function::with(two_accounts(), &variables).await;
        proxy.lead_to(function.aws.url());
        for event in [json!({}), json!({"regions": ["us-east-1"]})] {
            let answer =
                if event == json!({}) { function.answer(event).await } else { divided(&function, event).await };
            assert_eq!((&answer["verdict"], &answer["complete"]), (&json!("COMPLIANT"), &json!(true)), "{name}");
        }
        assert_eq!(function.aws.messages().len(), 2);
        let operations: BTreeSet<String> =
            function.aws.requests().into_iter().map(|request| request.operation).collect();
        for operation in ["AssumeRole", "ListRegions", "ListMembers", "Publish", "PutObject", "GetObject"] {
            assert!(operations.contains(operation), "{operation} in {operations:?}");
        }
        // The Runtime API has a host too, and the proxy was never asked for it.
        assert_eq!(proxy.asked(), ["aws.only-the-proxy-knows.invalid".to_owned()].into(), "{name}");
    }
}

#[tokio::test]
async fn a_host_in_no_proxy_is_reached_past_the_proxy() {
    for (name, value, passes) in [
        ("NO_PROXY", "127.0.0.1", true),
        ("no_proxy", "127.0.0.1", true),
        ("NO_PROXY", "vpce.example.com, 127.0.0.0/8", true),
        ("no_proxy", "vpce.example.com", false),
    ] {
        let proxy = Proxy::start().await;
        let variables = [("HTTP_PROXY", proxy.url.as_str()), (name, value), ROLE, ALL, BUCKET];
        let function = Function::with(two_accounts(), &variables).await;
        proxy.lead_to(function.aws.url());
        assert_eq!(function.answer(json!({})).await["verdict"], "COMPLIANT");
        assert_eq!(divided(&function, json!({"regions": ["us-east-1"]})).await["verdict"], "COMPLIANT");
        let expected = if passes { BTreeSet::new() } else { [address(function.aws.url())].into() };
        assert_eq!(proxy.asked(), expected, "{name}={value}");
    }
}

/// The hosts that the proxy is asked to open a tunnel to, over a run and the first step of a divided one.
async fn tunnels(variables: &[(&str, &str)]) -> BTreeSet<String> {
    let proxy = Proxy::start().await;
    let https_proxy = if variables.is_empty() { "https_proxy" } else { "HTTPS_PROXY" };
    let variables = [variables, &[(https_proxy, proxy.url.as_str()), NO_ENDPOINT, ROLE, ALL, BUCKET]].concat();
    let function = Function::with(two_accounts(), &variables).await;
    let listing = json!({"step": "ListTargets", "execution": "e-1", "event": {"regions": ["us-east-1"]}});
    for event in [json!({}), listing] {
        let outcome = function.invoke(invocation(12, event)).await;
        assert!(matches!(outcome, Outcome::Error { .. }), "no report is published and no target listed: {outcome:?}");
    }
    assert!(function.aws.requests().is_empty(), "the endpoint of the tests is not in use");
    proxy.asked()
}

async fn assert_tunnels(variables: &[(&str, &str)], hosts: [&str; 6]) {
    let asked = tunnels(variables).await;
    for host in hosts {
        assert!(asked.contains(&format!("{host}:443")), "{host} with {variables:?} in {asked:?}");
    }
    let alike = |host: &&String| hosts.iter().any(|known| known.starts_with(host.split('.').next().unwrap_or("?")));
    let others: Vec<_> = asked.iter().filter(|host| !alike(host)).collect();
    assert!(others.is_empty(), "{variables:?}: {others:?}");
}

#[tokio::test]
async fn every_client_asks_the_proxy_for_the_host_of_its_service() {
    let hosts = [
        "macie2.us-east-1.amazonaws.com",
        "macie2.eu-west-1.amazonaws.com",
        "sns.us-east-1.amazonaws.com",
        "sts.us-east-1.amazonaws.com",
        "account.us-east-1.amazonaws.com",
        "results.s3.us-east-1.amazonaws.com",
    ];
    assert_tunnels(&[], hosts).await;
    assert_tunnels(&[("AWS_USE_FIPS_ENDPOINT", "false")], hosts).await;
}

#[tokio::test]
async fn every_client_obeys_the_setting_for_fips_endpoints() {
    let hosts = [
        "macie2-fips.us-east-1.amazonaws.com",
        "macie2-fips.eu-west-1.amazonaws.com",
        "sns-fips.us-east-1.amazonaws.com",
        "sts-fips.us-east-1.amazonaws.com",
        "account-fips.us-east-1.amazonaws.com",
        "results.s3-fips.us-east-1.amazonaws.com",
    ];
    assert_tunnels(&[("AWS_USE_FIPS_ENDPOINT", "true")], hosts).await;
}

#[tokio::test]
async fn every_client_obeys_the_setting_for_dual_stack_endpoints() {
    let hosts = [
        "macie2.us-east-1.api.aws",
        "macie2.eu-west-1.api.aws",
        "sns.us-east-1.api.aws",
        "sts.us-east-1.api.aws",
        "account.us-east-1.api.aws",
        "results.s3.dualstack.us-east-1.amazonaws.com",
    ];
    assert_tunnels(&[("AWS_USE_DUALSTACK_ENDPOINT", "true")], hosts).await;
}

#[tokio::test]
async fn fips_or_dual_stack_beside_an_endpoint_of_ones_own_is_no_start() {
    for setting in ["AWS_USE_FIPS_ENDPOINT", "AWS_USE_DUALSTACK_ENDPOINT"] {
        let (code, told, _) = failed_start(&[(setting, "true")]).await;
        let message = told["errorMessage"].as_str().unwrap_or_default().to_owned();
        assert!(code != Some(0) && message.contains("AWS_ENDPOINT_URL") && message.contains(setting), "{message}");
    }
}

/// A way to the simulator on which every open connection can go silent, without a reset. New ones work.
struct Link {
    url: String,
    leads_to: Arc<Mutex<String>>,
    silence: Arc<watch::Sender<()>>,
    /// The request, counted from now, with which all connections go silent; none if 0.
    falls_silent_at: Arc<AtomicUsize>,
    connections: Arc<AtomicUsize>,
    task: AbortHandle,
}

impl Link {
    async fn start() -> Link {
        let listener = TcpListener::bind("127.0.0.1:0").await.expect("a free port");
        let url = format!("http://{}", listener.local_addr().expect("it listens"));
        let leads_to = Arc::new(Mutex::new(String::new()));
        let silence = Arc::new(watch::Sender::new(()));
        let falls_silent_at = Arc::new(AtomicUsize::new(0));
        let connections = Arc::new(AtomicUsize::new(0));
        let (to, voice, count, opened) =
            (Arc::clone(&leads_to), Arc::clone(&silence), Arc::clone(&falls_silent_at), Arc::clone(&connections));
        let accept = tokio::spawn(async move {
            while let Ok((client, _)) = listener.accept().await {
                opened.fetch_add(1, Ordering::SeqCst);
                let to = to.lock().expect("nobody panics while holding it").clone();
                let server = TcpStream::connect(to).await.expect("the simulator listens");
                tokio::spawn(Link::carry(client, server, Arc::clone(&voice), Arc::clone(&count)));
            }
        });
        Link { url, leads_to, silence, falls_silent_at, connections, task: accept.abort_handle() }
    }

    async fn carry(
        mut client: TcpStream,
        mut server: TcpStream,
        silence: Arc<watch::Sender<()>>,
        count: Arc<AtomicUsize>,
    ) {
        let mut silenced = silence.subscribe();
        let (mut up, mut down) = (vec![0; 64 * 1024], vec![0; 64 * 1024]);
        loop {
            tokio::select! {
                biased;
                _ = silenced.changed() => pending().await,
                read = client.read(&mut up) => {
                    let Some(length) = read.ok().filter(|length| *length > 0) else { return };
                    let left = count.fetch_update(Ordering::SeqCst, Ordering::SeqCst, |left| left.checked_sub(1));
                    if left == Ok(1) {
                        silence.send_replace(());
                        pending::<()>().await;
                    }
                    if server.write_all(&up[..length]).await.is_err() { return };
                }
                read = server.read(&mut down) => {
                    let Some(length) = read.ok().filter(|length| *length > 0) else { return };
                    if client.write_all(&down[..length]).await.is_err() { return };
                }
            }
        }
    }
}

impl Drop for Link {
    fn drop(&mut self) {
        self.task.abort();
    }
}

const FIVE_REGIONS: (&str, &str) = ("MACIE_REGIONS", "eu-central-1,eu-west-1,eu-west-2,us-east-1,us-west-2");

/// A function whose requests go over a link.
async fn over_a_link(regions: (&str, &str)) -> (Link, Function) {
    let link = Link::start().await;
    let function = Function::with(two_accounts(), &[("AWS_ENDPOINT_URL", link.url.as_str()), ROLE, regions]).await;
    *link.leads_to.lock().expect("nobody panics while holding it") = address(function.aws.url());
    function.runtime.ready().await;
    (link, function)
}

/// A run of 30 seconds, which has to be complete; how long it took.
async fn complete(function: &Function, what: &str) -> Duration {
    let start = Instant::now();
    let Outcome::Answer(answer) = function.invoke(with_seconds(30)).await else { panic!("{what}: no answer") };
    assert_eq!((&answer["verdict"], &answer["complete"]), (&json!("COMPLIANT"), &json!(true)), "{what}: {answer}");
    start.elapsed()
}

#[tokio::test]
async fn connections_that_died_between_two_runs_cost_the_second_no_time() {
    for regions in [("MACIE_REGIONS", "us-east-1"), FIVE_REGIONS] {
        let (link, function) = over_a_link(regions).await;
        for round in 0..3 {
            let took = complete(&function, &format!("{regions:?}, run {round}")).await;
            assert!(took < Duration::from_secs(4), "{took:?}");
            link.silence.send_replace(());
        }
    }
}

#[tokio::test]
async fn a_run_of_thirty_seconds_is_complete_though_every_connection_dies_in_its_middle() {
    let cells = [("MACIE_REGIONS", "us-east-1"), FIVE_REGIONS]
        .into_iter()
        .flat_map(|regions| [1, 2, 3, 5, 8, 12, 40].map(|request| (regions, request)))
        .filter(|(regions, request)| *regions == FIVE_REGIONS || *request <= 12);
    join_all(cells.map(|(regions, request)| async move {
        let (link, function) = over_a_link(regions).await;
        complete(&function, "the first").await;
        link.falls_silent_at.store(request, Ordering::SeqCst);
        let before = link.connections.load(Ordering::SeqCst);
        let what = format!("{regions:?}, request {request}");
        let took = complete(&function, &what).await;
        assert_eq!(link.falls_silent_at.load(Ordering::SeqCst), 0, "{what}: it came to that request");
        assert!(took > Duration::from_secs(2), "{what}: an attempt was lost: {took:?}");
        assert!(link.connections.load(Ordering::SeqCst) > before + 1, "{what}");
    }))
    .await;
}

/// What an account says of its Regions where only these are not disabled.
fn only(enabled: &[&str]) -> Vec<RegionSeed> {
    let region = |name: &str| RegionSeed {
        name: name.to_owned(),
        opt_status: if enabled.contains(&name) { "ENABLED" } else { "DISABLED" }.to_owned(),
    };
    let known = simulator::seed::MACIE_REGIONS;
    let unknown = enabled.iter().filter(|name| !known.contains(name));
    known.iter().chain(unknown).map(|name| region(name)).collect()
}

fn with_regions(enabled: &[&str]) -> Seed {
    Seed { regions: only(enabled), ..seed(healthy()) }
}

#[tokio::test]
async fn a_region_that_nobody_knows_is_read_like_every_other() {
    let archiving = TargetSeed {
        region: UNKNOWN_REGION.to_owned(),
        findings_filters: vec![json!({"id": "quiet", "action": "ARCHIVE"})],
        ..healthy()
    };
    let here = TargetSeed { region: "us-east-1".to_owned(), ..healthy() };
    let seed =
        Seed { regions: only(&["us-east-1", UNKNOWN_REGION]), targets: vec![here, archiving], ..Seed::default() };
    let function = Function::with(seed, &[ALL, BUCKET]).await;
    let report = function.report().await;
    let regions: Vec<_> = report["targets"].as_array().expect("a list").iter().map(|t| t["region"].clone()).collect();
    assert_eq!(regions, [json!(UNKNOWN_REGION), json!("us-east-1")]);
    assert_eq!((&report["complete"], &report["summary"]["regionsWithoutMacie"]), (&json!(true), &json!([])));
    assert_eq!(violations(&report).len(), 1);
    assert_eq!(report["violations"][0]["region"], UNKNOWN_REGION);
    let answer = divided(&function, json!({})).await;
    assert_eq!((&answer["complete"], &answer["summary"]["violations"]), (&json!(true), &json!(1)));
}

#[tokio::test]
async fn a_region_that_nobody_knows_and_where_macie_refuses_is_not_read_and_not_passed_over() {
    let fault = Fault {
        region: Some(UNKNOWN_REGION.to_owned()),
        ..Fault::of("macie2", "GetMacieSession", error(403, "AccessDeniedException", "no"))
    };
    let seed = Seed { faults: vec![fault], ..with_regions(&["us-east-1", UNKNOWN_REGION]) };
    let report = Function::with(seed, &[ALL]).await.report().await;
    assert_eq!((&report["verdict"], &report["summary"]["targets"]), (&json!("INSUFFICIENT_DATA"), &json!(2)));
    assert_eq!(report["summary"]["regionsWithoutMacie"], json!([]));
}

#[tokio::test]
async fn a_region_that_nobody_knows_and_whose_host_does_not_exist_is_no_target_and_is_asked_once() {
    let function =
        Function::with(with_regions(&[UNKNOWN_REGION]), &[ALL, ("AWS_ENDPOINT_URL_MACIE2", IMPOSSIBLE)]).await;
    function.runtime.ready().await;
    let start = Instant::now();
    let report = function.report().await;
    let took = start.elapsed();
    assert_eq!((&report["targets"], &report["summary"]["regionsWithoutMacie"]), (&json!([]), &json!([UNKNOWN_REGION])));
    assert_eq!(report["verdict"], "INSUFFICIENT_DATA", "nothing at all was read");
    // Six attempts are about eight seconds.
    assert!(took < Duration::from_secs(1), "{took:?}");
}

#[tokio::test]
async fn a_host_that_does_not_exist_leaves_a_known_region_and_one_that_was_asked_for_incomplete() {
    let asked_for = format!("us-east-1,{UNKNOWN_REGION}");
    for (regions, incomplete, without) in [
        ("all", &["us-east-1"][..], json!([UNKNOWN_REGION])),
        (asked_for.as_str(), &[UNKNOWN_REGION, "us-east-1"], json!([])),
    ] {
        let variables = [("MACIE_REGIONS", regions), ("AWS_ENDPOINT_URL_MACIE2", IMPOSSIBLE)];
        let function = Function::with(with_regions(&["us-east-1", UNKNOWN_REGION]), &variables).await;
        let report = function.report().await;
        let targets = report["targets"].as_array().expect("a list");
        let places: Vec<_> = targets.iter().map(|target| (&target["region"], &target["complete"])).collect();
        let incomplete: Vec<Value> = incomplete.iter().map(|region| json!(region)).collect();
        assert_eq!(places, incomplete.iter().map(|region| (region, &json!(false))).collect::<Vec<_>>(), "{regions}");
        for read in targets.iter().flat_map(|target| target["reads"].as_array().expect("a list")) {
            assert_eq!(read["error"]["code"], "UnknownHost", "{read}");
        }
        assert_eq!(report["summary"]["regionsWithoutMacie"], without, "{regions}");
        assert_eq!(report["verdict"], "INSUFFICIENT_DATA");
    }
}

#[tokio::test]
async fn a_run_may_be_compliant_and_names_the_region_without_macie_in_the_first_lines_of_its_mail() {
    let function = Function::with(with_regions(&["us-east-1", UNKNOWN_REGION]), &[ALL, BUCKET]).await;
    // The same but for the host of Macie, which is the same for every Region.
    let variables = [("AWS_ENDPOINT_URL", function.aws.url()), ("AWS_ENDPOINT_URL_MACIE2", IMPOSSIBLE), ALL, BUCKET];
    let without = Function::with(Seed::default(), &variables).await;
    without.runtime.ready().await;
    function.answer(json!({"step": "ListTargets", "execution": "e-1", "event": {}})).await;
    let audit = |item: Value| json!({"step": "AuditTarget", "execution": "e-1", "target": item});
    let items = items(&function);
    assert_eq!(items.len(), 2, "{items:?}");
    for item in items {
        let start = Instant::now();
        let audits = if item["region"] == UNKNOWN_REGION { &without } else { &function };
        let answer = audits.answer(audit(item.clone())).await;
        assert_eq!((&answer["verdict"], &answer["complete"]), (&json!("COMPLIANT"), &json!(true)), "{item}");
        assert!(start.elapsed() < Duration::from_secs(1), "{item}: {:?}", start.elapsed());
    }
    let answer = function.answer(json!({"step": "PublishReport", "execution": "e-1"})).await;
    assert_eq!((&answer["verdict"], &answer["complete"]), (&json!("COMPLIANT"), &json!(true)));
    let report = function.published().pop().expect("it is published");
    assert_eq!(report["summary"]["regionsWithoutMacie"], json!([UNKNOWN_REGION]));
    let targets = report["targets"].as_array().expect("a list");
    assert_eq!(
        (targets.len(), &targets[0]["region"], &targets[0]["accountId"]),
        (1, &json!("us-east-1"), &json!(ACCOUNT))
    );
    let mail = text(&function.aws.messages()[0].body, "email");
    let first: Vec<&str> = mail.lines().take(8).collect();
    assert!(first.iter().any(|line| line.contains(UNKNOWN_REGION)), "{mail}");
}

#[tokio::test]
async fn where_macie_is_off_nothing_but_the_session_is_asked() {
    let on = ["eu-west-1", "us-east-1"];
    let target = |region: &str| TargetSeed { region: region.to_owned(), ..healthy() };
    let seed = Seed { targets: on.map(target).into(), ..Seed::default() };
    let function = Function::with(seed, &[ALL]).await;
    let report = function.report().await;
    assert_eq!((&report["complete"], &report["summary"]["targets"]), (&json!(true), &json!(22)));
    let requests = function.aws.requests();
    for region in simulator::seed::MACIE_REGIONS {
        let asked = requests.iter().filter(|request| request.service == "macie2" && request.region == region);
        let asked: Vec<&str> = asked.map(|request| request.operation.as_str()).collect();
        if on.contains(&region) {
            assert!(asked.contains(&"ListMembers") && asked.len() >= 5, "{region}: {asked:?}");
        } else {
            assert_eq!(asked, ["GetMacieSession"], "{region}");
        }
    }
}
