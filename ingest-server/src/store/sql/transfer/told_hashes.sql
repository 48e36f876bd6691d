select object_key, sha256 from submission_file
left join submission on submission.id = submission_file.submission_id
where submission.media_removed_at is null
union
select object_key, sha256 from artifact
left join submission on submission.id = artifact.submission_id
where submission.media_removed_at is null
