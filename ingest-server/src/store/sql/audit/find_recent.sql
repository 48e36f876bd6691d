select 1 as found from audit where subject = $1 and at > $2 and who = $3 and act = $4 limit 1
