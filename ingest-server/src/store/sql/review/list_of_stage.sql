    and submission.stage = cast($1 as text)
