select stage, currency, count(*) as found, cast(sum(amount_cents) as bigint) as cents from payout group by stage, currency order by stage, currency
