/**
 * An admin erases the first worker on the page, and then the name that was kept for the pay.
 *
 *   CHROMIUM=… REVIEW_PASSWORD=… node browser/erase.mjs SERVER EMAIL PICTURES
 */
import { chromium } from 'playwright-core';

const [server, email, pictures] = process.argv.slice(2);
const browser = await chromium.launch({ executablePath: process.env.CHROMIUM, args: ['--no-sandbox'] });
try {
  const page = await browser.newPage({ viewport: { width: 1366, height: 768 } });
  page.setDefaultTimeout(20_000);
  const thrown = [];
  page.on('pageerror', (error) => thrown.push(error.message));
  const show = (name) => page.screenshot({ path: `${pictures}/erase-${name}.png` });
  const button = (name) => page.getByRole('button', { name, exact: true });
  await page.goto(`${server}/admin`);
  await page.getByLabel('E-mail').fill(email);
  await page.getByLabel('Password').fill(process.env.REVIEW_PASSWORD);
  await page.keyboard.press('Enter');
  await page.getByRole('link', { name: 'Workers' }).click();
  await button('Erase').click();
  await page.getByText('This cannot be taken back.').waitFor();
  await show('asked');
  await button('Keep').click();
  await button('Erase').click();
  await button('Erase').click();
  await page.getByText('Pay is owed').waitFor();
  await show('owed');
  await button('Paid: erase the name').click();
  await page.getByText('Pay is owed').waitFor({ state: 'detached' });
  await page.getByRole('cell', { name: 'erased' }).first().waitFor();
  await show('done');
  if (thrown.length > 0) throw new Error(thrown.join('\n'));
} finally {
  await browser.close();
}
