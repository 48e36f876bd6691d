update admin set failed_logins = 0, locked_until = null where id = $1
