update admin set password_hash = $2 where email = $1 returning id
