insert into worker (id, alias, name, fiverr_user, stage, created_at) values ($1, $2, $3, $4, $5, $6)
