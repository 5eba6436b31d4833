//! ListClassificationJobs: the jobs that are not finished; and DescribeClassificationJob, the allow lists of each.

use aws_sdk_macie2::types::{
    JobComparator, JobStatus, JobSummary, ListJobsFilterCriteria, ListJobsFilterKey, ListJobsFilterTerm,
};
use macie_compliance_core::api::Api;
use macie_compliance_core::evidence::Job;
use macie_compliance_core::failure::Failure;
use macie_compliance_core::text::clip;

use super::walk::{PAGE, Page, Walk, Walker, id, time, word};
use crate::client::OrFailure;

/// The statuses of a job that will not run again.
const FINISHED: [&str; 2] = ["COMPLETE", "CANCELLED"];

pub(super) async fn read(walker: &Walker<'_>) -> (Vec<Walk>, Vec<Job>) {
    let ask = async |token| {
        let call = walker.client.list_classification_jobs().filter_criteria(not_finished()).max_results(PAGE);
        let page = call.set_next_token(token).send().await.or_failure();
        page.map(|page| Page { items: page.items, next: page.next_token })
    };
    let (mut jobs, mut is_unknown) = (Vec::new(), false);
    let listed = walker.list(Api::ListClassificationJobs, ask, |item| {
        let job = job(&item);
        let id = job.id.clone();
        is_unknown |= !is_known(&item);
        if !job.status.as_deref().is_some_and(|status| FINISHED.contains(&status)) {
            jobs.push(job);
        }
        id
    });
    let mut walks = vec![listed.await];
    if is_unknown {
        walks[0].invalid("a job has no status, type or result of its last run that this version knows");
    }
    if walker.checks.need(Api::DescribeClassificationJob) {
        walks.extend(allow_lists(walker, &mut jobs).await);
    }
    (walks, jobs)
}

fn not_finished() -> ListJobsFilterCriteria {
    let term = ListJobsFilterTerm::builder().key(ListJobsFilterKey::JobStatus).comparator(JobComparator::Eq);
    let term = FINISHED.into_iter().fold(term, |term, status| term.values(status));
    ListJobsFilterCriteria::builder().excludes(term.build()).build()
}

/// Whether the words of a job are those that the checks of jobs are about.
fn is_known(item: &JobSummary) -> bool {
    let result = item.last_run_error_status.as_ref().and_then(|status| status.code.as_ref());
    let statuses = ["RUNNING", "PAUSED", "IDLE", "USER_PAUSED"];
    let is_status = |status: &JobStatus| statuses.contains(&status.as_str()) || FINISHED.contains(&status.as_str());
    item.job_status.as_ref().is_some_and(is_status)
        && item.job_type.as_ref().is_some_and(|kind| ["ONE_TIME", "SCHEDULED"].contains(&kind.as_str()))
        && result.is_none_or(|code| ["NONE", "ERROR"].contains(&code.as_str()))
}

fn job(item: &JobSummary) -> Job {
    let paused = item.user_paused_details.as_ref().and_then(|details| details.job_paused_at.as_ref());
    let code = item.last_run_error_status.as_ref().and_then(|status| status.code.as_ref());
    Job {
        id: id(item.job_id.as_deref()),
        name: item.name.as_deref().map(clip),
        status: item.job_status.as_ref().map(|status| word(status.as_str())),
        is_scheduled: item.job_type.as_ref().is_some_and(|kind| kind.as_str() == "SCHEDULED"),
        has_failed: code.is_some_and(|code| code.as_str() == "ERROR"),
        since: time(paused),
        allow_lists: Vec::new(),
    }
}

/// Asks each job for its allow lists. One that is gone by now uses none.
async fn allow_lists(walker: &Walker<'_>, jobs: &mut [Job]) -> Option<Walk> {
    let ids = jobs.iter().enumerate().filter(|(_, job)| !job.id.is_empty());
    let ids = ids.map(|(index, job)| (index, job.id.clone())).collect();
    let ask = async |(index, id): (usize, String)| match walker
        .client
        .describe_classification_job()
        .job_id(id)
        .send()
        .await
        .or_failure()
    {
        // A job without lists may say nothing of them, but it says something.
        Ok(answer) if answer.job_id.is_none() && answer.job_status.is_none() && answer.allow_list_ids.is_none() => {
            Err(Failure::invalid_response("the answer is no job"))
        }
        Ok(answer) => Ok((index, answer.allow_list_ids.unwrap_or_default())),
        Err(failure) if failure.code == "ResourceNotFoundException" => Ok((index, Vec::new())),
        Err(failure) => Err(failure),
    };
    let (walk, answers) = walker.each(Api::DescribeClassificationJob, ids, ask).await;
    for (index, lists) in answers {
        jobs[index].allow_lists = lists.iter().map(|list| clip(list)).collect();
    }
    walk
}
