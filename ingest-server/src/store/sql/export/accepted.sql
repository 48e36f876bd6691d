-- One row of each for each submission, by its key: as joins, PostgreSQL reads all workers and assignments for every page once
-- it plans for any parameters.
select submission.id, submission.assignment_id, submission.campaign_id, submission.rating,
    (select worker.alias from worker where worker.id = submission.worker_id) as alias,
    (select tier.name from assignment join tier on tier.id = assignment.tier_id
        where assignment.id = submission.assignment_id) as tier,
    (select scenario.goal from assignment join scenario on scenario.id = assignment.scenario_id
        where assignment.id = submission.assignment_id) as goal,
    (select scenario.constraints from assignment join scenario on scenario.id = assignment.scenario_id
        where assignment.id = submission.assignment_id) as constraints,
    -- Not by grouping: that would read every accepted submission before the first page.
    (select max(review.created_at) from review where review.submission_id = submission.id) as accepted_at
from submission
where submission.campaign_id = $1 and submission.stage = 'accepted' and submission.media_removed_at is null
    and submission.id > coalesce(cast($2 as text), '')
    -- As numbers of one row each: PostgreSQL makes joins over whole tables of "exists" and "not exists".
    and (select count(*) from review where review.submission_id = submission.id) > 0
    and (select count(*) from redaction where redaction.submission_id = submission.id and redaction.done_at is null) = 0
order by submission.id
limit $3
