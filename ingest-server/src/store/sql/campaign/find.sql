select id, name, description, currency, created_at from campaign where id = $1
