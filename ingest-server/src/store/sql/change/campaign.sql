select name, description, currency from campaign where id = $1
