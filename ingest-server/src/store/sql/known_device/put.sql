insert into known_device (key_sha256, seen_at) values ($1, $2)
on conflict (key_sha256) do update set seen_at = excluded.seen_at
