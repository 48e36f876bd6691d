insert into totp (admin_id, secret, last_step, created_at) values ($1, $2, 0, $3)
on conflict (admin_id) do update set secret = excluded.secret, created_at = excluded.created_at
where totp.confirmed_at is null
