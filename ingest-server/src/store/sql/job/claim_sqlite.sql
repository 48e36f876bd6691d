select id from job
where stage = 'queued' and run_at <= $1 and kind in ($2, $3, $4, $5)
order by run_at, id
limit 1
