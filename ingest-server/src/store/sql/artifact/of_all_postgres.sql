select submission_id, name, bytes, sha256, object_key from artifact
where submission_id in (select json_array_elements_text(cast($1 as json)))
order by submission_id, name
