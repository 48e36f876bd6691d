select count(*) as found
from condemned
where is_last = 0 and (
    exists (select 1 from upload where upload.id = substr(condemned.object_key, 9) and upload.worker_id = $1)
    or exists (select 1 from submission where submission.id = substr(condemned.object_key, 13, 36) and submission.worker_id = $1)
    or exists (
        select 1 from job
        join submission on submission.id = job.submission_id
        where job.id = substr(condemned.object_key, 6, 36) and submission.worker_id = $1
    )
)
