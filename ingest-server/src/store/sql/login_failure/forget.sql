delete from login_failure where key_sha256 = $1
