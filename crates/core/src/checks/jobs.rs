//! Checks of classification jobs that run on a schedule.

use super::check::always;
use super::{Check, Judge, Problem};
use crate::api::Api;
use crate::evidence::{Evidence, Job};
use crate::resource::{Resource, ResourceType};
use crate::severity::Severity;

const NEEDS: &[Api] = &[Api::ListClassificationJobs];

pub(super) const CHECKS: &[Check] = &[
    Check {
        id: "job-stopped",
        severity: Severity::Medium,
        title: "Scheduled classification job is paused",
        risk: "The job looks at nothing while it is paused. One that a user paused expires after 30 days, and one that Macie paused reached a quota.",
        fix: "Resume it on the Jobs page of the Macie console, or with UpdateClassificationJob and jobStatus RUNNING; where Macie paused it, raise the quota or the budget first.",
        needs: NEEDS,
        applies: always,
        judge: Judge::Target(|evidence, _| {
            of_jobs(evidence, |job| matches!(job.status.as_deref(), Some("PAUSED" | "USER_PAUSED")))
        }),
    },
    Check {
        id: "job-failing",
        severity: Severity::Medium,
        title: "Last run of a scheduled classification job ended with an error",
        risk: "The job did not look at everything that it should.",
        fix: "Look at the job's log events in CloudWatch Logs, in the log group /aws/macie/classificationjobs, and fix what they name.",
        needs: NEEDS,
        applies: always,
        judge: Judge::Target(|evidence, _| of_jobs(evidence, |job| job.has_failed)),
    },
];

fn of_jobs(evidence: &Evidence, is_problem: impl Fn(&Job) -> bool) -> Vec<Problem> {
    let jobs = evidence.jobs.iter().filter(|job| job.is_scheduled && is_problem(job));
    jobs.map(|job| Problem {
        status: job.status.clone(),
        since: job.since.clone(),
        ..Problem::with(Resource { name: job.name.clone(), ..Resource::new(ResourceType::ClassificationJob, &job.id) })
    })
    .collect()
}
