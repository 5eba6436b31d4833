//! Which accounts and Regions a run reads. The only module that names `aws_sdk_account`.

use std::time::SystemTime;

use aws_config::SdkConfig;
use aws_sdk_account::types::RegionOptStatus;
use macie_compliance_core::api::Api;
use macie_compliance_core::evidence::{Evidence, Read};
use macie_compliance_core::failure::Failure;
use macie_compliance_core::names::{MACIE_REGIONS, Regions, Role, Target, is_region};
use tokio::time::{Instant, timeout_at};

use super::walk::SeenTokens;
use crate::client::{Aws, OrFailure, retrying};

/// A target that can be read.
#[derive(Debug)]
pub struct Opened {
    /// What reaches its account.
    pub config: SdkConfig,
    /// What is known of it already.
    pub evidence: Evidence,
    /// Whether it is known that Macie is offered in its Region, or the Region was asked for by name.
    pub region_is_known: bool,
}

/// The targets of one account.
#[derive(Debug, Default)]
pub struct Plan {
    /// What can be read.
    pub reachable: Vec<Opened>,
    /// What cannot: evidence that holds nothing but the failure.
    pub unreachable: Vec<Evidence>,
}

/// The accounts of a run: the function's own, if it is to be audited, and those that a role opens. A
/// role in the function's own account would open the same targets again.
pub fn accounts<'a>(
    roles: &'a [Role],
    own: &'a str,
    audit_own: bool,
) -> impl Iterator<Item = (&'a str, Option<&'a Role>)> {
    let others = roles.iter().filter(move |role| !audit_own || role.account_id != own);
    let own = audit_own.then_some((own, None));
    own.into_iter().chain(others.map(|role| (role.account_id.as_str(), Some(role))))
}

/// Opens an account and finds its targets. What fails here becomes a read of the targets that it
/// concerns, so that they are reported as incomplete and no other target is affected.
pub async fn open(aws: &Aws, account: (&str, Option<&Role>), regions: &Regions, now: SystemTime, cut: Instant) -> Plan {
    let (account_id, role) = account;
    let opened = match role {
        None => Ok(aws.own().clone()),
        Some(role) => {
            timeout_at(cut, aws.assuming(role, now)).await.unwrap_or_else(|_| Err(Failure::deadline_exceeded()))
        }
    };
    match opened {
        Ok(config) => targets_of(account_id, config, regions, cut).await,
        Err(failure) => {
            let regions = match regions {
                Regions::These(regions) => regions.clone(),
                Regions::All => MACIE_REGIONS.map(str::to_owned).into(),
            };
            let unread = |region| Evidence::unread(target(account_id, region), Api::AssumeRole, failure.clone());
            Plan { unreachable: regions.into_iter().map(unread).collect(), ..Plan::default() }
        }
    }
}

/// The targets of an opened account. Where `all` Regions are asked for and the account does not say
/// which it has, every Region that offers Macie is read, so that none is passed over.
async fn targets_of(account: &str, config: SdkConfig, regions: &Regions, cut: Instant) -> Plan {
    let asked_by_name = matches!(regions, Regions::These(_));
    let (regions, failure) = match regions {
        Regions::These(regions) => (regions.clone(), None),
        Regions::All => match enabled_regions(&config, cut).await {
            Ok(regions) => (regions, None),
            Err(failure) => (MACIE_REGIONS.map(str::to_owned).into(), Some(failure)),
        },
    };
    let open = |region: String| Opened {
        config: config.clone(),
        region_is_known: asked_by_name || !may_lack_macie(&region, &config),
        evidence: Evidence::new(target(account, region)),
    };
    let mut reachable: Vec<Opened> = regions.into_iter().map(open).collect();
    if let (Some(failure), Some(first)) = (failure, reachable.first_mut()) {
        first.evidence.reads.push(Read::failed(Api::ListRegions, failure));
    }
    Plan { reachable, unreachable: Vec::new() }
}

/// Whether a name that does not exist would show that a Region does not offer Macie: this build does not
/// know the Region, and asks for the ordinary name. Not every Region has FIPS and dual-stack endpoints.
fn may_lack_macie(region: &str, config: &SdkConfig) -> bool {
    let has_ordinary_name = !config.use_fips().unwrap_or(false) && !config.use_dual_stack().unwrap_or(false);
    has_ordinary_name && !MACIE_REGIONS.contains(&region)
}

fn target(account: &str, region: String) -> Target {
    Target { account_id: account.to_owned(), region }
}

/// The Regions that an account has not disabled and that may offer Macie: those that are known to, and
/// those that this build does not know.
async fn enabled_regions(config: &SdkConfig, cut: Instant) -> Result<Vec<String>, Failure> {
    let config = retrying!(aws_sdk_account::config::Builder::from(config)).build();
    let client = aws_sdk_account::Client::from_conf(config);
    let pages = async {
        let (mut enabled, mut disabled, mut seen, mut token) = (Vec::new(), Vec::new(), SeenTokens::default(), None);
        loop {
            let page = client.list_regions().max_results(50).set_next_token(token).send().await.or_failure()?;
            let Some(regions) = page.regions else {
                return Err(Failure::invalid_response("a page has no list of Regions"));
            };
            for region in regions {
                // A name becomes part of a host name, so nothing else may pass.
                let Some(name) = region.region_name.filter(|name| is_region(name)) else {
                    return Err(Failure::invalid_response("a Region has no name, or one of another form"));
                };
                let list = if region.region_opt_status == Some(RegionOptStatus::Disabled) {
                    &mut disabled
                } else {
                    &mut enabled
                };
                list.push(name);
            }
            token = seen.follow(page.next_token)?;
            if token.is_none() {
                break;
            }
        }
        if enabled.is_empty() && disabled.is_empty() {
            return Err(Failure::invalid_response("the account has no Region at all"));
        }
        let known = MACIE_REGIONS.into_iter().map(str::to_owned).filter(|region| !disabled.contains(region));
        let mut regions: Vec<String> = known.collect();
        enabled.sort();
        enabled.dedup();
        regions.extend(enabled.into_iter().filter(|region| !MACIE_REGIONS.contains(&region.as_str())));
        Ok(regions)
    };
    // The list is asked for before anything is read, so it gets a part of the time only.
    let now = Instant::now();
    let early = now + cut.saturating_duration_since(now) / 3;
    timeout_at(early, pages).await.unwrap_or_else(|_| Err(Failure::deadline_exceeded()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_an_ordinary_name_shows_that_a_region_does_not_offer_macie() {
        let config = |fips, dual_stack| SdkConfig::builder().use_fips(fips).use_dual_stack(dual_stack).build();
        assert!(may_lack_macie("ap-southeast-5", &config(false, false)));
        assert!(may_lack_macie("ap-southeast-5", &SdkConfig::builder().build()));
        assert!(!may_lack_macie("eu-west-1", &config(false, false)));
        assert!(!may_lack_macie("ap-southeast-5", &config(true, false)));
        assert!(!may_lack_macie("ap-southeast-5", &config(false, true)));
    }
}
