select id from upload
where worker_id = $1 and stage in ('receiving', 'assembling', 'ready')
    and not exists (select 1 from submission_file where submission_file.upload_id = upload.id)
order by id
