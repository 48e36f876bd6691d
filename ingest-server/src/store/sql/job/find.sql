select id, kind, submission_id, campaign_id, stage, attempt, max_attempts, lease_token, lease_until, result
from job
where id = $1
