select stage from worker where id = $1
