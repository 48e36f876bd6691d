select submission.id, submission.stage
from submission
where submission.stage in ('received', 'inspecting', 'analysing')
    and not exists (select 1 from job where job.submission_id = submission.id and job.stage in ('queued', 'leased'))
order by submission.id limit 500
