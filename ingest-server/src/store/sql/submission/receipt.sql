select id, receipt_id, received_at from submission where receipt_id = $1 and worker_id = $2
