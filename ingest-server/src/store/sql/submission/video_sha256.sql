select sha256 from submission_file where submission_id = $1 and track = 'video'
