update login_failure set failures = failures - 1, wait_until = 0 where key_sha256 = $1 and failures > 0
