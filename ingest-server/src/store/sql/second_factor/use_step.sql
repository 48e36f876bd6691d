update totp set last_step = $2 where admin_id = $1 and last_step < $2
