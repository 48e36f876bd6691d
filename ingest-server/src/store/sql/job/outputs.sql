select object_key from job_output where job_id = $1 order by object_key
