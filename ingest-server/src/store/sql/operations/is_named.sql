select (select count(*) from submission_file where object_key = $1)
    + (select count(*) from artifact where object_key = $1)
    + (select count(*) from job_output where object_key = $1)
    + (select count(*) from condemned where object_key = $1)
    + (select count(*) from upload where 'uploads/' || id = $1 and stage in ('receiving', 'assembling', 'ready')) as found
