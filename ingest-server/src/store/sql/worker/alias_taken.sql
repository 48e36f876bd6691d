select count(*) as found from worker where alias = $1
