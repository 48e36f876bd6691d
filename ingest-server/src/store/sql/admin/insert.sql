insert into admin (id, email, password_hash, role, failed_logins, created_at) values ($1, $2, $3, $4, 0, $5)
on conflict (email) do nothing
