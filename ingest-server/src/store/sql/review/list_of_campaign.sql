    and submission.campaign_id = cast($2 as text)
