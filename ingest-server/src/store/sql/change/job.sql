select kind, stage, attempt, max_attempts, run_at from job where id = $1
