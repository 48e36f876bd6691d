select id, password_hash, failed_logins, locked_until from admin where email = $1
