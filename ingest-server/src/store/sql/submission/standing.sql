select submission.stage, submission.version, submission.media_removed_at, submission.assignment_id, submission.worker_id, submission.campaign_id,
    assignment.stage as assignment_stage, assignment.pay_cents, campaign.currency, tier.policy
from submission
join assignment on assignment.id = submission.assignment_id
join campaign on campaign.id = submission.campaign_id
join tier on tier.id = assignment.tier_id
where submission.id = $1
