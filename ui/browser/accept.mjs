/**
 * Accepts the first waiting take in a real browser, by keyboard, as a reviewer would.
 *
 *     node browser/accept.mjs http://127.0.0.1:8750 EMAIL [PICTURES]
 *
 * The password comes in REVIEW_PASSWORD, the browser's path in CHROMIUM (else /usr/bin/chromium). PICTURES is a
 * folder for screenshots. Prints the id of the accepted take; exit 1 where anything on the way is not as it should be,
 * an error in the browser's console included.
 */
import { mkdir } from 'node:fs/promises';
import { join } from 'node:path';
import { chromium } from 'playwright-core';

const [server, email, pictures] = process.argv.slice(2);
const password = process.env.REVIEW_PASSWORD;
if (!server || !email || !password) {
  process.stderr.write('usage: REVIEW_PASSWORD=… node browser/accept.mjs URL EMAIL [PICTURES]\n');
  process.exit(2);
}

const browser = await chromium.launch({
  executablePath: process.env.CHROMIUM ?? '/usr/bin/chromium',
  args: ['--no-sandbox', '--disable-gpu'],
});

async function picture(page, name) {
  if (!pictures) return;
  await mkdir(pictures, { recursive: true });
  await page.screenshot({ path: join(pictures, `${name}.png`) });
}

async function accept(page) {
  await page.goto(new URL('/admin', server).href);
  await page.getByLabel('E-mail').fill(email);
  await page.getByLabel('Password').fill(password);
  await page.keyboard.press('Enter');
  const first = page.getByRole('link', { name: 'Review the first' });
  await first.waitFor();
  await picture(page, 'queue');
  await first.click();
  await page.waitForURL(/\/admin\/submissions\//);
  const id = new URL(page.url()).pathname.split('/').pop();

  // The picture is decoded, and the playhead moves.
  await page.waitForFunction(() => document.querySelector('video')?.readyState >= 2);
  await page.keyboard.press('Space');
  await page.waitForFunction(() => document.querySelector('video').currentTime > 0.5);
  await page.keyboard.press('Space');
  await page.getByRole('tab', { name: 'Steps' }).click();
  await picture(page, 'take');

  await page.keyboard.press('a');
  await page.keyboard.press('4');
  await page.getByText(/Accepts and accrues/).waitFor();
  await picture(page, 'decision');
  const answered = page.waitForResponse((answer) => answer.url().endsWith(`/${id}/review`));
  await page.keyboard.press('Enter');
  const answer = await answered;
  if (!answer.ok()) throw new Error(`the review was answered with ${answer.status()}: ${await answer.text()}`);
  const { stage } = await answer.json();
  if (stage !== 'accepted') throw new Error(`the take is ${stage}, not accepted`);
  await page.getByText(/^Accepted\. /).first().waitFor();
  await picture(page, 'accepted');
  return id;
}

const troubles = [];
try {
  const page = await browser.newPage({ viewport: { width: 1366, height: 768 } });
  page.setDefaultTimeout(20_000);
  page.on('pageerror', (error) => troubles.push(error.message));
  page.on('console', (message) => {
    // Asking who is logged in is answered with 401 before the log-in; the browser reports that as an error.
    if (message.type() === 'error' && !message.text().includes('401')) troubles.push(message.text());
  });
  const id = await accept(page);
  if (troubles.length > 0) throw new Error(`the browser reported:\n${troubles.join('\n')}`);
  process.stdout.write(`${id}\n`);
} catch (error) {
  process.stderr.write(`${error.message}\n${troubles.join('\n')}\n`);
  process.exitCode = 1;
} finally {
  await browser.close();
}
