update login_failure set wait_until = $2 where key_sha256 = $1
