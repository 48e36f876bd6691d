select assignment.id, assignment.stage, assignment.campaign_id, tier.name as tier, scenario.goal, scenario.constraints,
    tier.policy, assignment.pay_cents, campaign.currency, assignment.expires_at, submission.id as submission_id,
    submission.stage as submission_stage, submission.attempt
from assignment
join campaign on campaign.id = assignment.campaign_id
join tier on tier.id = assignment.tier_id
join scenario on scenario.id = assignment.scenario_id
left join submission on submission.assignment_id = assignment.id
    and submission.attempt = (select max(latest.attempt) from submission latest where latest.assignment_id = assignment.id)
where assignment.worker_id = $1 and assignment.id > coalesce(cast($2 as text), '')
order by assignment.id limit $3
