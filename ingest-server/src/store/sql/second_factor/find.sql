select secret, confirmed_at from totp where admin_id = $1
