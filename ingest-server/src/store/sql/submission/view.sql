select submission.id, submission.assignment_id, submission.stage, submission.attempt, submission.receipt_id,
    submission.received_at, submission.report, submission.rating,
    (select review.reason from review where review.submission_id = submission.id
        order by review.created_at desc, review.id desc limit 1) as reason,
    (select review.note from review where review.submission_id = submission.id
        order by review.created_at desc, review.id desc limit 1) as note,
    (select review.marks from review where review.submission_id = submission.id
        order by review.created_at desc, review.id desc limit 1) as marks,
    payout.id as payout_id, payout.stage as payout_stage, payout.amount_cents as payout_cents,
    payout.currency as payout_currency, payout.created_at as payout_created_at
from submission
left join payout on payout.submission_id = submission.id
where submission.id = $1 and submission.worker_id = $2
order by payout.created_at desc
limit 1
