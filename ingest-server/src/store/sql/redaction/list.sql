select id, covered, who, asked_at, done_at,
    case when done_at is not null and not exists (
        select 1 from condemned
        where is_last = 0 and (
            substr(object_key, 13, 36) = $1
            or exists (select 1 from job where job.id = substr(condemned.object_key, 6, 36) and job.submission_id = $1)
            or exists (
                select 1 from submission_file
                join upload as handed_in on handed_in.id = submission_file.upload_id
                join upload on upload.worker_id = handed_in.worker_id and upload.sha256 = handed_in.sha256
                where submission_file.submission_id = $1 and upload.id = substr(condemned.object_key, 9)
            )
        )
    ) then 1 else 0 end as is_gone
from redaction
where submission_id = $1
order by asked_at desc, id desc
