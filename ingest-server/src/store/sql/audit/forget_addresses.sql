delete from audit_address where at < $1
