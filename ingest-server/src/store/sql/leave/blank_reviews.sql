update review set note = null, marks = '[]' where submission_id = $1
