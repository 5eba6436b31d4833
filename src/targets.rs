//! Which accounts and Regions a run reads.

use std::collections::HashSet;
use std::time::SystemTime;

use aws_config::SdkConfig;
use aws_sdk_account::types::RegionOptStatus;
use tokio::time::{Instant, timeout_at};

use crate::aws::{Aws, MoreThrottling, OrFailure, Trail, unbudgeted};
use crate::facts::{Api, Facts, Failure, Read, Target};
use crate::settings::{Regions, Role};

/// The Regions that offer Macie: the endpoints of `macie2` in botocore 1.44.5's
/// `endpoints.json`, partition `aws`, as of 2026-11-22. The other partitions offer none.
pub const MACIE_REGIONS: [&str; 22] = [
    "af-south-1",
    "ap-east-1",
    "ap-northeast-1",
    "ap-northeast-2",
    "ap-northeast-3",
    "ap-south-1",
    "ap-southeast-1",
    "ap-southeast-2",
    "ca-central-1",
    "eu-central-1",
    "eu-north-1",
    "eu-south-1",
    "eu-west-1",
    "eu-west-2",
    "eu-west-3",
    "il-central-1",
    "me-south-1",
    "sa-east-1",
    "us-east-1",
    "us-east-2",
    "us-west-1",
    "us-west-2",
];

/// The targets of one account.
#[derive(Debug, Default)]
pub struct Plan {
    /// What can be read, each with the configuration that reaches its account.
    pub open: Vec<(SdkConfig, Facts)>,
    /// What cannot: facts that hold nothing but the failure.
    pub closed: Vec<Facts>,
}

/// The accounts of a run: the function's own, and those that a role opens. A role in the
/// function's own account would open the same targets again.
pub fn accounts<'a>(roles: &'a [Role], own: &'a str) -> impl Iterator<Item = (&'a str, Option<&'a Role>)> {
    let others = roles.iter().filter(move |role| role.account_id != own);
    std::iter::once((own, None)).chain(others.map(|role| (role.account_id.as_str(), Some(role))))
}

/// Opens an account and finds its targets. What fails here becomes a read of the targets that it
/// concerns, so that they are told as incomplete and no other target is.
pub async fn open(aws: &Aws, account: (&str, Option<&Role>), regions: &Regions, now: SystemTime, cut: Instant) -> Plan {
    let (account_id, role) = account;
    let opened = match role {
        None => Ok(aws.own().clone()),
        Some(role) => {
            timeout_at(cut, aws.assuming(role, now)).await.unwrap_or_else(|_| Err(Failure::deadline_exceeded()))
        }
    };
    targets_of(account_id, opened, regions, cut).await
}

/// The targets of an opened account. Where `all` Regions are asked for and the account does not say
/// which it has, every Region that offers Macie is read, so that none is passed over.
async fn targets_of(account: &str, opened: Result<SdkConfig, Failure>, regions: &Regions, cut: Instant) -> Plan {
    let unread = |region: &str| Facts::new(Target { account_id: account.to_owned(), region: region.to_owned() });
    let failed = |api: Api, failure: &Failure| Read { failure: Some(failure.clone()), ..Read::new(api) };
    let (config, listed) = match (opened, regions) {
        (Err(failure), _) => {
            let closed = |region: &str| Facts { reads: vec![failed(Api::AssumeRole, &failure)], ..unread(region) };
            let closed = match regions {
                Regions::These(regions) => regions.iter().map(|region| closed(region)).collect(),
                Regions::All => MACIE_REGIONS.map(closed).into(),
            };
            return Plan { open: Vec::new(), closed };
        }
        (Ok(config), Regions::These(regions)) => (config, Ok(regions.clone())),
        (Ok(config), Regions::All) => {
            let enabled = enabled_regions(&config, cut).await;
            (config, enabled)
        }
    };
    let mut facts: Vec<Facts> = match &listed {
        Ok(regions) => regions.iter().map(|region| unread(region)).collect(),
        Err(_) => MACIE_REGIONS.map(unread).into(),
    };
    if let (Err(failure), Some(first)) = (&listed, facts.first_mut()) {
        first.reads.push(failed(Api::ListRegions, failure));
    }
    Plan { open: facts.into_iter().map(|facts| (config.clone(), facts)).collect(), closed: Vec::new() }
}

/// The Regions that offer Macie and that an account has not disabled.
async fn enabled_regions(config: &SdkConfig, cut: Instant) -> Result<Vec<String>, Failure> {
    let config = aws_sdk_account::config::Builder::from(config)
        .retry_classifier(MoreThrottling)
        .retry_partition(unbudgeted())
        .build();
    let client = aws_sdk_account::Client::from_conf(config);
    let pages = async {
        let (mut disabled, mut seen, mut trail, mut token) = (HashSet::new(), 0, Trail::default(), None);
        loop {
            let page = client.list_regions().max_results(50).set_next_token(token).send().await.or_failure()?;
            let Some(regions) = page.regions else {
                return Err(Failure::own(Failure::INVALID_RESPONSE, "a page has no list of Regions"));
            };
            seen += regions.len();
            let off = regions.into_iter().filter(|region| region.region_opt_status == Some(RegionOptStatus::Disabled));
            disabled.extend(off.filter_map(|region| region.region_name));
            token = trail.follow(page.next_token)?;
            if token.is_none() {
                break;
            }
        }
        if seen == 0 {
            return Err(Failure::own(Failure::INVALID_RESPONSE, "the account has no Region at all"));
        }
        Ok(MACIE_REGIONS.into_iter().filter(|region| !disabled.contains(*region)).map(str::to_owned).collect())
    };
    // The list is asked for before anything is read, so it gets a part of the time only.
    let now = Instant::now();
    let early = now + cut.saturating_duration_since(now) / 3;
    timeout_at(early, pages).await.unwrap_or_else(|_| Err(Failure::deadline_exceeded()))
}
