insert into recovery_code (admin_id, code_sha256) values ($1, $2)
