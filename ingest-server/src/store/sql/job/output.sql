insert into job_output (job_id, object_key) values ($1, $2)
on conflict (job_id, object_key) do nothing
