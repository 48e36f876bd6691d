select submission_id, name, bytes, sha256, object_key from artifact
where submission_id in (select value from json_each($1))
order by submission_id, name
