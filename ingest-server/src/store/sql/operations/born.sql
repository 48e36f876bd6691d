select (select min(created_at) from campaign) as born_at, (select max(at) from audit where act = 'restored') as restored_at
