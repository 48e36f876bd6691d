import { createElement, type ReactElement, type ReactNode } from 'react';
import { renderToStaticMarkup } from 'react-dom/server';
import { expect, test } from 'vitest';
import type { QualityReport } from '../../api/types/QualityReport';
import { ChecksTab, Spans } from './ChecksTab';

const advice = {
  sign: 'replayed_input',
  measure: 1,
  limit: 0,
  spans: [{ start: 12, end: 75 }],
  sentence: 'Clicks and keys follow each other exactly as in take-7. Compare the two takes.',
};

function report(fields: object): QualityReport {
  const measurements = { active_secs: 400, sound: null, activity: null, capture: null, speech: null };
  return { verdict: 'accept', flags: [], advice: [], measurements, ...fields } as unknown as QualityReport;
}

function shown(of: QualityReport): string {
  return renderToStaticMarkup(createElement(ChecksTab, { report: of, seek: () => {} }));
}

/** All that is inside an element and has a click of its own. */
function pressed(node: ReactNode): Array<() => void> {
  if (Array.isArray(node)) return node.flatMap(pressed);
  if (node === null || typeof node !== 'object' || !('props' in node)) return [];
  const { onClick, children } = (node as ReactElement<{ onClick?: () => void; children?: ReactNode }>).props;
  return [...(onClick ? [onClick] : []), ...pressed(children)];
}

test('advice reaches the reviewer, apart from flags', () => {
  const html = shown(report({ advice: [advice] }));
  expect(html).toContain('All checks passed');
  expect(html).toContain('replayed input');
  expect(html).toContain(advice.sentence);
  expect(html).toMatch(/<button[^>]*>0:12–1:15<\/button>/);
  expect(shown(report({}))).not.toContain('advice');
});

test('a press on a stretch plays from its start', () => {
  const sought: number[] = [];
  for (const press of pressed(Spans({ spans: advice.spans, seek: (t) => sought.push(t) }))) press();
  expect(sought).toEqual([12]);
});
