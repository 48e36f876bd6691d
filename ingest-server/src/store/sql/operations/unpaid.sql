select submission.id, assignment.pay_cents
from submission
join assignment on assignment.id = submission.assignment_id
left join ledger on ledger.submission_id = submission.id
where submission.stage = 'accepted' and ledger.id is null
order by submission.id limit 500
