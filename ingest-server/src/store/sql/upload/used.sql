select cast(coalesce(sum(coalesce(length_bytes, received_bytes)), 0) as bigint) as used
from upload
where worker_id = $1 and stage in ('receiving', 'assembling', 'ready')
    and not exists (
        select 1 from submission_file
        join submission on submission.id = submission_file.submission_id
        where submission_file.upload_id = upload.id
            and submission.stage in ('accepted', 'rejected', 'redo', 'sent_back', 'withdrawn', 'failed', 'quarantined')
    )
