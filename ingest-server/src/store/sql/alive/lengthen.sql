-- Those of submissions have no end.
update upload set expires_at = expires_at + $1, updated_at = updated_at + $1
where stage = 'receiving'
    or stage = 'ready' and not exists (select 1 from submission_file where submission_file.upload_id = upload.id)
