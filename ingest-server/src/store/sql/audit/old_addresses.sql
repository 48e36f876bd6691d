select count(*) as found from audit_address where at < $1
