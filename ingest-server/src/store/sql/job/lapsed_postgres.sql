select id, kind, submission_id, campaign_id, stage, attempt, max_attempts, lease_token, lease_until, result
from job
where stage = 'leased' and lease_until < $1
order by id
limit 20
for update skip locked
