insert into review (id, submission_id, reviewer, rating, checklist, reason, note, marks, created_at)
values ($1, $2, $3, $4, $5, cast($6 as text), cast($7 as text), $8, $9)
