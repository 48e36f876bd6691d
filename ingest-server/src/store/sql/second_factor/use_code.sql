update recovery_code set used_at = $3 where admin_id = $1 and code_sha256 = $2 and used_at is null
