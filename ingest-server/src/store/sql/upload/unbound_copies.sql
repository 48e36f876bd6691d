select id from upload
where sha256 = $1 and stage = 'ready'
    and not exists (select 1 from submission_file where submission_file.upload_id = upload.id)
