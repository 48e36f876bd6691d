select ledger.id, ledger.submission_id, submission.stage
from ledger
join submission on submission.id = ledger.submission_id
where submission.stage <> 'accepted' and ledger.reverses_id is null
    and not exists (select 1 from ledger reversal where reversal.reverses_id = ledger.id)
    -- Who was paid and withdrew later keeps the pay.
    and not (submission.stage = 'withdrawn'
        and exists (select 1 from review where review.submission_id = submission.id and review.rating >= 3))
order by ledger.id limit 500
