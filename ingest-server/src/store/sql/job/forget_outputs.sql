delete from job_output where job_id = $1
