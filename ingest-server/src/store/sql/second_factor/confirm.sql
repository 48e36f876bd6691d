update totp set confirmed_at = $2 where admin_id = $1 and confirmed_at is null
