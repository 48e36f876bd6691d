select submission_file.object_key, submission_file.bytes, submission_file.sha256, 'submission ' || submission.id as owner
from submission_file
join submission on submission.id = submission_file.submission_id
where submission.media_removed_at is null
union all
select artifact.object_key, artifact.bytes, artifact.sha256, 'submission ' || submission.id as owner
from artifact
join submission on submission.id = artifact.submission_id
where submission.media_removed_at is null
union all
select 'uploads/' || upload.id as object_key, upload.received_bytes as bytes, upload.sha256, 'upload ' || upload.id as owner
from upload
where upload.stage = 'ready' and upload.id not in (select upload_id from submission_file)
order by 1
