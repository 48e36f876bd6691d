insert into submission (id, assignment_id, worker_id, campaign_id, attempt, stage, version, receipt_id, request_sha256, manifest, received_at, updated_at)
values ($1, $2, $3, $4, $5, $6, 1, $7, $8, $9, $10, $10)
