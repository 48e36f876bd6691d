select campaign_id, stage,
    (select coalesce(max(submission.attempt), 0) from submission where submission.assignment_id = assignment.id) as attempts
from assignment
where id = $1 and worker_id = $2
