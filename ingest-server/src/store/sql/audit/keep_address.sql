insert into audit_address (seq, at, salt, address) values ($1, $2, $3, $4)
