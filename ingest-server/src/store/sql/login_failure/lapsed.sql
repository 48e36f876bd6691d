delete from login_failure where updated_at < $1
