select submission.id, submission.assignment_id, submission.campaign_id, worker.alias, tier.name as tier, scenario.goal,
    scenario.constraints, submission.rating, max(review.created_at) as accepted_at
from submission
join worker on worker.id = submission.worker_id
join assignment on assignment.id = submission.assignment_id
join tier on tier.id = assignment.tier_id
join scenario on scenario.id = assignment.scenario_id
join review on review.submission_id = submission.id
where submission.campaign_id = $1 and submission.stage = 'accepted' and submission.media_removed_at is null
    and submission.id > coalesce(cast($2 as text), '')
    and not exists (
        select 1 from redaction where redaction.submission_id = submission.id and redaction.done_at is null
    )
group by submission.id, submission.assignment_id, submission.campaign_id, worker.alias, tier.name, scenario.goal,
    scenario.constraints, submission.rating
order by submission.id
limit $3
