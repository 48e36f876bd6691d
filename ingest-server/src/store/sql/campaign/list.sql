select id, name, description, currency, created_at from campaign
where cast($1 as text) is null or id > cast($1 as text)
order by id limit $2
