insert into login_failure (key_sha256, failures, wait_until, updated_at) values ($1, 1, 0, $2)
on conflict (key_sha256) do update set failures = login_failure.failures + 1, updated_at = excluded.updated_at
where login_failure.wait_until <= excluded.updated_at
returning failures
