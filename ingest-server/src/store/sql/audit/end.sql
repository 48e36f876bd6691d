update audit_end set sha256 = $1 where id = 1
