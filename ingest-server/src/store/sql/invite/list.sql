select invite.id, invite.campaign_id, tier.name as tier, invite.worker_id, invite.created_at, invite.expires_at,
    invite.used_at
from invite
join tier on tier.id = invite.tier_id
where invite.id > coalesce(cast($1 as text), '')
order by invite.id limit $2
