select id, role, password_hash from admin where email = $1
