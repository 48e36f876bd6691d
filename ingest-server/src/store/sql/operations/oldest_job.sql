select min(run_at) as run_at from job where stage = 'queued'
