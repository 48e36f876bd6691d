select ledger.id, ledger.submission_id, submission.stage
from ledger
join submission on submission.id = ledger.submission_id
where submission.stage <> 'accepted' and ledger.reverses_id is null
    and not exists (select 1 from ledger reversal where reversal.reverses_id = ledger.id)
order by ledger.id limit 500
