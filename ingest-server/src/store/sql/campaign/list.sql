select id, name, description, currency, created_at from campaign
where id > coalesce(cast($1 as text), '')
order by id limit $2
