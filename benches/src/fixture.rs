//! The AWS that is asked: the simulator with a seed, over plain HTTP or over TLS.

use std::fs;
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicU64, Ordering};

use serde_json::json;
use simulator::{Fault, Seed, Simulator, TargetSeed};

/// Members on a page.
pub(crate) const PAGE: u64 = 25;

/// Members of each Region that a rule flags, and that are read again.
const FLAGGED: u64 = 4;

/// Twenty of the Regions that offer Macie.
pub(crate) const REGIONS: [&str; 20] = [
    "us-east-1",
    "us-east-2",
    "us-west-1",
    "us-west-2",
    "ca-central-1",
    "sa-east-1",
    "eu-north-1",
    "eu-west-1",
    "eu-west-2",
    "eu-west-3",
    "eu-central-1",
    "eu-south-1",
    "me-south-1",
    "il-central-1",
    "af-south-1",
    "ap-east-1",
    "ap-south-1",
    "ap-southeast-1",
    "ap-southeast-2",
    "ap-northeast-1",
];

/// How the simulator is reached.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Wire {
    Http,
    Tls,
}

impl Wire {
    pub(crate) fn name(self) -> &'static str {
        match self {
            Wire::Http => "plain HTTP",
            Wire::Tls => "TLS",
        }
    }
}

/// Which certificates the programs trust over TLS.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Roots {
    /// The simulator's authority alone.
    Authority,
    /// It and the system's own, as a function has them in Lambda.
    System,
}

impl Roots {
    /// How many certificates the system has.
    pub(crate) fn count() -> usize {
        let system = fs::read_to_string(SYSTEM_ROOTS).expect("the system's root certificates");
        system.matches("-----BEGIN CERTIFICATE-----").count()
    }
}

/// A simulator in which every Region has the same number of pages of members.
pub(crate) struct Cloud {
    pub(crate) aws: Simulator,
    trusted: Option<Trusted>,
}

impl Cloud {
    pub(crate) async fn start(pages: u64, latency_ms: u64, wire: Wire) -> Cloud {
        Cloud::with(seed(pages, latency_ms, Vec::new()), wire, Roots::Authority).await
    }

    pub(crate) async fn with(seed: Seed, wire: Wire, roots: Roots) -> Cloud {
        match wire {
            Wire::Http => Cloud { aws: Simulator::start(seed).await.expect("a free port"), trusted: None },
            Wire::Tls => {
                let (aws, authority) = Simulator::start_tls(seed).await.expect("a free port");
                Cloud { aws, trusted: Some(Trusted::new(&authority, roots)) }
            }
        }
    }

    /// The file with the certificates that are to be trusted, over TLS.
    pub(crate) fn trusted(&self) -> Option<&Path> {
        self.trusted.as_ref().map(|trusted| trusted.0.as_path())
    }
}

/// Every Region with these pages of members, a few of them suspended, an invitation, two pages of
/// filters, one of which archives, and an administrator account.
pub(crate) fn seed(pages: u64, latency_ms: u64, faults: Vec<Fault>) -> Seed {
    // Named one by one, since a simulator makes the lists of a named Region before it answers.
    let targets = REGIONS.map(|region| TargetSeed {
        region: region.to_owned(),
        members: vec![
            json!({"count": pages * PAGE - FLAGGED, "relationshipStatus": "Enabled"}),
            json!({"count": FLAGGED, "relationshipStatus": "AccountSuspended"}),
        ],
        invitations: vec![json!({"relationshipStatus": "Invited"})],
        findings_filters: vec![json!({"count": 29, "action": "NOOP"}), json!({"action": "ARCHIVE"})],
        administrator: Some(json!({"relationshipStatus": "Enabled"})),
        ..TargetSeed::default()
    });
    Seed { latency_ms, targets: targets.into(), faults, ..Seed::default() }
}

/// A file of certificates, which is removed when this is dropped.
struct Trusted(PathBuf);

impl Trusted {
    fn new(authority: &str, roots: Roots) -> Trusted {
        static LAST: AtomicU64 = AtomicU64::new(0);
        let system = match roots {
            Roots::Authority => String::new(),
            Roots::System => fs::read_to_string(SYSTEM_ROOTS).expect("the system's root certificates"),
        };
        let name = format!("bench-{}-{}.pem", std::process::id(), LAST.fetch_add(1, Ordering::Relaxed));
        let path = std::env::temp_dir().join(name);
        fs::write(&path, format!("{system}{authority}")).expect("the folder for temporary files can be written");
        Trusted(path)
    }
}

impl Drop for Trusted {
    fn drop(&mut self) {
        // What is left behind is a small file in the folder for temporary ones.
        let _ = fs::remove_file(&self.0);
    }
}

/// Where Debian keeps the root certificates.
const SYSTEM_ROOTS: &str = "/etc/ssl/certs/ca-certificates.crt";
