select count(*) as found from recovery_code where admin_id = $1 and used_at is null
