insert into admin (id, email, password_hash, role, created_at) values ($1, $2, $3, $4, $5)
on conflict (email) do nothing
