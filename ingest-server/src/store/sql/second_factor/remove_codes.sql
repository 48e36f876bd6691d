delete from recovery_code where admin_id = $1
