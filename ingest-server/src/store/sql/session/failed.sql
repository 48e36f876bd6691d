update admin set failed_logins = failed_logins + 1, locked_until = cast($2 as bigint) where id = $1
