select submission.id, submission.stage, submission.attempt, submission.campaign_id, campaign.name as campaign,
    tier.name as tier, scenario.goal, worker.alias, submission.verdict, submission.flags, submission.duration_secs,
    submission.rating, submission.received_at
from submission
join campaign on campaign.id = submission.campaign_id
join assignment on assignment.id = submission.assignment_id
join tier on tier.id = assignment.tier_id
join scenario on scenario.id = assignment.scenario_id
join worker on worker.id = submission.worker_id
where (submission.received_at, submission.id) > (coalesce(cast($5 as bigint), -1), coalesce(cast($6 as text), ''))
    and (cast($1 as text) is null or submission.stage = cast($1 as text))
    and (cast($2 as text) is null or submission.campaign_id = cast($2 as text))
    and (cast($3 as text) is null or submission.worker_id = (select id from worker where alias = cast($3 as text)))
    and (cast($4 as text) is null or submission.flags like cast($4 as text))
