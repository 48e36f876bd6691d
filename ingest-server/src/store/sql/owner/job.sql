select 'known' as what, '' as object_key from job where id = $1
union all
select 'all', '' from job where id = $1 and submission_id is null
union all
select 'named', artifact.object_key from artifact
join job on job.submission_id = artifact.submission_id
join submission on submission.id = artifact.submission_id
where job.id = $1 and submission.media_removed_at is null
union all
select 'named', submission_file.object_key from submission_file
join job on job.submission_id = submission_file.submission_id
join submission on submission.id = submission_file.submission_id
where job.id = $1 and submission.media_removed_at is null
union all
select 'named', object_key from job_output where job_id = $1
