/**
 * A reviewer in a real browser: logs in, opens the first waiting take, and does there what `act` does.
 *
 * The command line is URL EMAIL [PICTURES]; the password comes in REVIEW_PASSWORD, the browser's path in CHROMIUM (else
 * /usr/bin/chromium). PICTURES is a folder for screenshots. Prints the id of the take; exit 1 where anything on the way is
 * not as it should be, an error in the browser's console included.
 */
import { mkdir } from 'node:fs/promises';
import { join } from 'node:path';
import { chromium } from 'playwright-core';

export async function review(act) {
  const [server, email, pictures] = process.argv.slice(2);
  const password = process.env.REVIEW_PASSWORD;
  if (!server || !email || !password) {
    process.stderr.write(`usage: REVIEW_PASSWORD=… node ${process.argv[1]} URL EMAIL [PICTURES]\n`);
    process.exit(2);
  }
  const browser = await chromium.launch({
    executablePath: process.env.CHROMIUM ?? '/usr/bin/chromium',
    args: ['--no-sandbox', '--disable-gpu'],
  });
  const troubles = [];
  try {
    const page = await browser.newPage({ viewport: { width: 1366, height: 768 } });
    page.setDefaultTimeout(20_000);
    page.on('pageerror', (error) => troubles.push(error.message));
    page.on('console', (message) => {
      // Asking who is logged in is answered with 401 before the log-in; the browser reports that as an error.
      if (message.type() === 'error' && !message.text().includes('401')) troubles.push(message.text());
    });
    const picture = async (name) => {
      if (!pictures) return;
      await mkdir(pictures, { recursive: true });
      await page.screenshot({ path: join(pictures, `${name}.png`) });
    };
    await page.goto(new URL('/admin', server).href);
    await page.getByLabel('E-mail').fill(email);
    await page.getByLabel('Password').fill(password);
    await page.keyboard.press('Enter');
    const first = page.getByRole('link', { name: 'Review the first' });
    await first.waitFor();
    await picture('queue');
    await first.click();
    await page.waitForURL(/\/admin\/submissions\//);
    const id = new URL(page.url()).pathname.split('/').pop();
    await act({ page, picture, id });
    if (troubles.length > 0) throw new Error(`the browser reported:\n${troubles.join('\n')}`);
    process.stdout.write(`${id}\n`);
  } catch (error) {
    process.stderr.write(`${error.message}\n${troubles.join('\n')}\n`);
    process.exitCode = 1;
  } finally {
    await browser.close();
  }
}
