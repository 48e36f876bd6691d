select id, generation from upload
where worker_id = $1 and stage = 'ready' and sha256 = $2
    and not exists (select 1 from submission_file where submission_file.upload_id = upload.id)
