select id, worker_id, stage, receipt_id, request_sha256 from submission where id = $1
