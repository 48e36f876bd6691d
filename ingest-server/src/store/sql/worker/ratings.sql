select review.submission_id, scenario.goal, review.rating, review.note, review.marks, review.created_at
from review
join submission on submission.id = review.submission_id
join assignment on assignment.id = submission.assignment_id
join scenario on scenario.id = assignment.scenario_id
where submission.worker_id = $1
order by review.created_at desc, review.id desc limit 100
