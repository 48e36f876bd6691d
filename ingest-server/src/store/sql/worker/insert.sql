insert into worker (id, alias, name, fiverr_user, stage, consent_version, consent_at, created_at)
values ($1, $2, $3, $4, $5, $6, $7, $8)
