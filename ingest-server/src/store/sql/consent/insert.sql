insert into consent (id, worker_id, version, text_sha256, language, accepted_at, received_at, app_version)
values ($1, $2, $3, $4, $5, $6, $7, cast($8 as text))
