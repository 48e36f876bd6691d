select object_key from submission_file where submission_id = $1
union
select object_key from artifact where submission_id = $1
