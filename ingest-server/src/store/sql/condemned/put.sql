insert into condemned (object_key, due_at, is_last)
values ($1, $2, 0)
on conflict (object_key) do update set due_at = excluded.due_at, is_last = 0
