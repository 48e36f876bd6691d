select id, reviewer, rating, checklist, reason, created_at from review where submission_id = $1 order by created_at, id
