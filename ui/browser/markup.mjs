/**
 * Puts markup that would run a script into every text that people or machines could have written, as a worker's name, a page's
 * title or a spoken word would bring it, and looks at every page of the admin's: it must be shown as text and do nothing.
 * See reviewer.mjs. What the server gives is changed on its way to the browser, so that no field can be forgotten by a test's data.
 */
import { review } from './reviewer.mjs';

const MARKUP = '"><img src=x onerror="window.planted=1"><script>window.planted=1</script>';
const LINK = 'javascript:window.planted=1';
/** Words and ids that the pages go by; all other texts are free. */
const FIXED =
  /^(id|.*_id|.*_ids|.*_at|at|stage|kind|act|flag|flags|verdict|role|currency|narration|action|button|intent|source|cause|where|sign|key|next_cursor|tier|frame_before|frame_after|.*sha256|language|evidence|artifacts|passes|platform|code|from|to)$/;

function plant(value, key = '') {
  if (FIXED.test(key)) return value;
  if (typeof value === 'string') return key === 'url' ? LINK : `${MARKUP}${value}`;
  if (Array.isArray(value)) return value.map((one) => plant(one, key));
  if (value === null || typeof value !== 'object') return value;
  return Object.fromEntries(Object.entries(value).map(([name, one]) => [name, plant(one, name)]));
}

/** A take without words and acts is given one of each, so that their parts of the page are looked at too. */
const SPOKEN = { language: 'en', segments: [{ start: 1, end: 2, text: 'said', words: [{ w: 'said', start: 1, end: 2, p: 0.9 }] }] };
const ACT = {
  t: 1, t_end: 1.2, action: 'navigate', count: null, button: null, x: 9, y: 9, x_to: null, y_to: null, text: 'typed', key: null, dx: null,
  dy: null, target: { text: 'aim', role: 'link', box: null }, cause: null, url: 'u', title: 'page', frame_before: null, frame_after: null,
  intent: 'search', rationale: 'because', utterances: [], confidence: 0.9, confidences: {}, source: {},
};

const planted = (text, isLines) =>
  isLines
    ? text
        .split('\n')
        .map((line) => (line ? JSON.stringify(plant(JSON.parse(line))) : line))
        .join('\n')
    : JSON.stringify(plant(JSON.parse(text)));

await review(async ({ page, picture, id }) => {
  const isText = (url) => /\/api\/v1\/admin\/(?!session)/.test(url.pathname) || /\.jsonl?$/.test(url.pathname);
  await page.route(isText, async (route) => {
    if (route.request().method() !== 'GET') return route.continue();
    const answer = await route.fetch();
    const text = await answer.text();
    const name = new URL(answer.url()).pathname.split('/').pop();
    const isLines = name.endsWith('.jsonl');
    const given = isLines && !text.trim() ? JSON.stringify(ACT) : name === 'transcript.json' ? JSON.stringify(SPOKEN) : text;
    const changed = answer.ok() && given ? planted(given, isLines) : given;
    await route.fulfill({ response: answer, body: changed });
  });
  let shown = 0;
  const look = async (name) => {
    await picture(`markup-${name}`);
    const found = await page.evaluate((markup) => {
      const alive = '[onerror], [onload], img[src="x"], a[href^="javascript:"], script:not([src])';
      return {
        ran: window.planted !== undefined,
        alive: document.querySelectorAll(alive).length,
        shown: document.body.innerText.includes(markup.slice(0, 20)),
      };
    }, MARKUP);
    if (found.ran || found.alive > 0) throw new Error(`markup became part of the page ${name}: ${JSON.stringify(found)}`);
    shown += found.shown ? 1 : 0;
  };
  const quiet = () => page.waitForLoadState('networkidle');
  await page.goto(new URL(`/admin/submissions/${id}`, page.url()).href);
  await page.getByRole('tablist').waitFor();
  await quiet();
  await look('take');
  for (const tab of await page.getByRole('tab').all()) {
    const name = await tab.textContent();
    await tab.click();
    await quiet();
    await look(`take-${name.toLowerCase().replaceAll(/[^a-z]+/g, '')}`);
  }
  const links = await page.getByRole('navigation', { name: 'Sections' }).getByRole('link').all();
  const sections = await Promise.all(links.map((link) => link.getAttribute('href')));
  for (const path of sections) {
    await page.goto(new URL(path, page.url()).href);
    await page.getByRole('navigation', { name: 'Sections' }).waitFor();
    await quiet();
    await look(path.split('/').pop());
  }
  if (shown < 8) throw new Error(`only ${shown} pages showed what was planted`);
});
