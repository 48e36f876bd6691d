select cast(coalesce((select sum(bytes) from submission_file where submission_id = $1), 0)
    + coalesce((select sum(bytes) from artifact where submission_id = $1), 0) as bigint) as bytes
