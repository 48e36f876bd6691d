insert into job (id, kind, submission_id, campaign_id, input_digest, stage, run_at, attempt, max_attempts, created_at, updated_at)
values ($1, $2, cast($3 as text), $4, $5, 'queued', $6, 0, $7, $6, $6)
on conflict (kind, submission_id, input_digest) do nothing
