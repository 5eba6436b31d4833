//! ListAccounts of AWS Organizations: the accounts of the organization. The only module that names
//! `aws_sdk_organizations`.

use std::sync::Arc;
use std::time::{Duration, SystemTime};

use aws_config::SdkConfig;
use aws_sdk_organizations::Client;
use aws_sdk_organizations::types::Account;
use macie_compliance_core::api::Api;
use macie_compliance_core::evidence::{Read, Roster, RosterAccount};
use macie_compliance_core::names::Arn;
use macie_compliance_core::text::clip;
use tokio::sync::OnceCell;
use tokio::time::Instant;

use super::walk::{self, Page, Walk, id};
use crate::client::{OrFailure, retrying};

/// Accounts on a page: the most that Organizations gives.
const PAGE: i32 = 20;

/// An account that joined less than this ago may not have been added yet.
const NEW: Duration = Duration::from_secs(24 * 60 * 60);

/// The accounts of an organization, read once, for whoever first knows that they are needed.
#[derive(Debug)]
pub struct RosterSource {
    client: Client,
    now: SystemTime,
    cell: OnceCell<(Arc<Roster>, Read)>,
}

impl RosterSource {
    /// The organization of the account that the configuration is for.
    pub fn new(config: &SdkConfig, now: SystemTime) -> RosterSource {
        let config = retrying!(aws_sdk_organizations::config::Builder::from(config)).build();
        RosterSource { client: Client::from_conf(config), now, cell: OnceCell::new() }
    }

    /// The accounts, read until the cut.
    pub async fn read(&self, cut: Instant) -> &(Arc<Roster>, Read) {
        self.cell.get_or_init(|| self.list(cut)).await
    }

    /// The read, if it was needed.
    pub fn into_read(self) -> Option<Read> {
        self.cell.into_inner().map(|(_, read)| read)
    }

    async fn list(&self, cut: Instant) -> (Arc<Roster>, Read) {
        let ask = async |token| {
            let call = self.client.list_accounts().max_results(PAGE).set_next_token(token);
            call.send().await.or_failure().map(|page| Page { items: page.accounts, next: page.next_token })
        };
        let (mut accounts, mut without_state) = (Vec::new(), false);
        let walk = walk::list(cut, Api::ListAccounts, ask, |item: Account| {
            let id = id(item.id.as_deref());
            match state(&item) {
                Some("ACTIVE") if !self.is_new(&item) => accounts.push(account(&item, id.clone())),
                Some("ACTIVE" | "PENDING_ACTIVATION" | "SUSPENDED" | "PENDING_CLOSURE" | "CLOSED") => {}
                _ => without_state = true,
            }
            id
        });
        let mut walk = walk.await;
        // Organizations knows nothing of Macie: what says that it is not enabled is no list of accounts.
        if let Some(failure) = walk.not_enabled.take() {
            walk.read.failure = Some(failure);
        }
        if without_state {
            walk.invalid("an account has no State that this version knows");
        }
        let is_in_use = !is_not_in_use(&walk);
        if !is_in_use {
            walk.answered_with_nothing();
        }
        let is_complete = walk.read.failure.is_none();
        (Arc::new(Roster { is_in_use, is_complete, accounts }), walk.read)
    }

    fn is_new(&self, item: &Account) -> bool {
        let joined = item.joined_timestamp.and_then(|joined| SystemTime::try_from(joined).ok());
        joined.zip(self.now.checked_sub(NEW)).is_some_and(|(joined, yesterday)| joined >= yesterday)
    }
}

/// The account's `State`, or its `Status`, which was retired in September 2026, where there is none.
fn state(item: &Account) -> Option<&str> {
    let status = item.status.as_ref().map(|status| status.as_str());
    item.state.as_ref().map(|state| state.as_str()).or(status)
}

fn account(item: &Account, id: String) -> RosterAccount {
    // The ARN of every account of an organization has the id of its management account.
    let management = item.arn.as_deref().and_then(Arn::parse).map(|arn| arn.account_id.to_owned());
    RosterAccount { is_management: management.as_ref() == Some(&id), id, name: item.name.as_deref().map(clip) }
}

fn is_not_in_use(walk: &Walk) -> bool {
    walk.read.failure.as_ref().is_some_and(|failure| failure.code == "AWSOrganizationsNotInUseException")
}
