select submission.id, submission.stage, submission.attempt, submission.campaign_id, campaign.name as campaign,
    tier.name as tier, scenario.goal, worker.alias, submission.verdict, submission.flags, submission.duration_secs,
    submission.rating, submission.received_at, submission.assignment_id, submission.version, scenario.constraints,
    tier.policy, assignment.pay_cents, campaign.currency, submission.report
from submission
join campaign on campaign.id = submission.campaign_id
join assignment on assignment.id = submission.assignment_id
join tier on tier.id = assignment.tier_id
join scenario on scenario.id = assignment.scenario_id
join worker on worker.id = submission.worker_id
where submission.id = $1
