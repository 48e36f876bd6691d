select held_by, held_until from review_lock where submission_id = $1
