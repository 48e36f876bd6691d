insert into review_lock (submission_id, held_by, held_until)
values ($1, $2, $3)
on conflict (submission_id) do update set held_by = excluded.held_by, held_until = excluded.held_until
where review_lock.held_until < $4 or review_lock.held_by = excluded.held_by
