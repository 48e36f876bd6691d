select scenario.goal, tier.policy, submission.manifest
from submission
join assignment on assignment.id = submission.assignment_id
join scenario on scenario.id = assignment.scenario_id
join tier on tier.id = assignment.tier_id
where submission.id = $1
