update invite set device_id = null where worker_id = $1
