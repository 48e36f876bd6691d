delete from totp where admin_id = $1
