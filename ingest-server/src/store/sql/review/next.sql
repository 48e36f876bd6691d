select id from submission
where stage = 'ready' and id <> $1
order by received_at, id
limit 1
