insert into campaign (id, name, description, currency, created_at) values ($1, $2, $3, $4, $5)
