select worker.id from worker
where worker.stage in ('withdrawn', 'banned')
    and exists (select 1 from consent where consent.worker_id = worker.id and consent.withdrawn_at is not null)
    and exists (
        select 1 from upload
        where upload.worker_id = worker.id and upload.stage in ('receiving', 'assembling', 'ready')
            and not exists (select 1 from submission_file where submission_file.upload_id = upload.id)
    )
order by worker.id
limit 200
