update assignment set problem = null where worker_id = $1
