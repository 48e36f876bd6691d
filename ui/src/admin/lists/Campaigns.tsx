import { useQuery } from '@tanstack/react-query';
import { campaigns } from '../../api/admin';
import type { CampaignView } from '../../api/types/CampaignView';
import { FailureNotice } from '../../shared/FailureNotice';
import { formatCount, formatMoney, formatWhen } from '../../shared/format';
import { Loading } from '../../shared/parts';
import { ListPage, NoItems } from './Listing';

const NARRATION = { none: 'asked for', required: 'required', detailed: 'detailed' } as const;

export function Campaigns() {
  const list = useQuery({ queryKey: ['campaigns'], queryFn: () => campaigns(null) });
  return (
    <ListPage title="Campaigns" about="What is bought at which price, and the goals that workers are given.">
      {list.isPending ? <Loading what="Loading the campaigns" /> : null}
      {list.isError ? <FailureNotice error={list.error} onRetry={() => void list.refetch()} /> : null}
      {list.data?.items.length === 0 ? (
        <NoItems title="There is no campaign yet">
          <span>
            Import one with <code>ingest-server campaign import FILE</code>.
          </span>
        </NoItems>
      ) : null}
      {list.data?.items.map((campaign) => <Campaign key={campaign.id} campaign={campaign} />)}
    </ListPage>
  );
}

function Campaign({ campaign }: { campaign: CampaignView }) {
  const scenariosOf = (tier: string) =>
    campaign.scenarios.filter(({ tiers }) => tiers.length === 0 || tiers.includes(tier)).length;
  return (
    <section className="card stack" aria-label={campaign.name}>
      <div>
        <h2>{campaign.name}</h2>
        {campaign.description ? <p>{campaign.description}</p> : null}
        <p className="muted small">
          {formatCount(campaign.scenarios.length, 'scenario')} · since {formatWhen(campaign.created_at)} ·{' '}
          <span className="mono">{campaign.id}</span>
        </p>
      </div>
      <table className="table">
        <thead>
          <tr>
            <th scope="col">Tier</th>
            <th scope="col">For</th>
            <th scope="col">Narration</th>
            <th scope="col" className="end">Price</th>
            <th scope="col" className="end">Takes</th>
            <th scope="col" className="end">A take</th>
            <th scope="col" className="end">An hour</th>
            <th scope="col" className="end">Scenarios</th>
          </tr>
        </thead>
        <tbody>
          {campaign.tiers.map((tier) => {
            const price = Number(tier.price_cents);
            return (
              <tr key={tier.name}>
                <td>{tier.name}</td>
                <td>{tier.level}</td>
                <td>{NARRATION[tier.policy.narration]}</td>
                <td className="end numbers">{formatMoney(price, campaign.currency)}</td>
                <td className="end numbers">{tier.scenario_count}</td>
                <td className="end numbers">{formatMoney(price / Math.max(1, tier.scenario_count), campaign.currency)}</td>
                <td className="end numbers">{formatMoney(price / Math.max(1, tier.hours), campaign.currency)}</td>
                <td className="end numbers">{scenariosOf(tier.name)}</td>
              </tr>
            );
          })}
        </tbody>
      </table>
      <details>
        <summary>Goals</summary>
        <ol className="goals">
          {campaign.scenarios.map((scenario) => (
            <li key={scenario.goal}>{scenario.goal}</li>
          ))}
        </ol>
      </details>
    </section>
  );
}
