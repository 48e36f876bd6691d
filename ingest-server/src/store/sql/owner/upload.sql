select 'known' as what, '' as object_key from upload where id = $1
union all
select 'named', 'uploads/' || upload.id from upload
where upload.id = $1 and stage in ('receiving', 'assembling', 'ready')
    and not exists (select 1 from submission_file where submission_file.upload_id = upload.id)
union all
select 'named', submission_file.object_key from submission_file
join submission on submission.id = submission_file.submission_id
where submission_file.upload_id = $1 and submission.media_removed_at is null
