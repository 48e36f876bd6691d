update job set progress = null, last_error = null, result = null where submission_id = $1
