select version, text_sha256, language, accepted_at, received_at, app_version, withdrawn_at
from consent
where worker_id = $1
order by received_at, id
