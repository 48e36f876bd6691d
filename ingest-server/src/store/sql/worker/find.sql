select id, name, stage, consent_version from worker where id = $1
