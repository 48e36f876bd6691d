// Ends the login of another browser, adds an authenticator app with the password asked for again, and logs in with its code.
//
//   CHROMIUM=… REVIEW_PASSWORD=… node browser/security.mjs SERVER EMAIL PICTURES
//
// The server must ask for a proof soon after the login (COLLECTOR_PROOF_SECS=3).
import { createHmac } from 'node:crypto';
import { chromium } from 'playwright-core';

const [server, email, pictures] = process.argv.slice(2);
const password = process.env.REVIEW_PASSWORD;
const STEP_MILLIS = 30_000;

function bytesOf(base32) {
  const letters = 'ABCDEFGHIJKLMNOPQRSTUVWXYZ234567';
  const bits = [...base32].map((letter) => letters.indexOf(letter).toString(2).padStart(5, '0')).join('');
  return Buffer.from(bits.match(/.{8}/g).map((byte) => Number.parseInt(byte, 2)));
}

/** What an authenticator app shows, some steps of time from now. */
function codeOf(key, ahead = 0) {
  const step = Buffer.alloc(8);
  step.writeBigInt64BE(BigInt(Math.floor(Date.now() / STEP_MILLIS) + ahead));
  const hash = createHmac('sha1', bytesOf(key)).update(step).digest();
  const word = hash.readUInt32BE(hash[19] & 15) & 0x7fffffff;
  return String(word % 1_000_000).padStart(6, '0');
}

const browser = await chromium.launch({ executablePath: process.env.CHROMIUM, args: ['--no-sandbox'] });
try {
  const page = await browser.newPage({ viewport: { width: 1100, height: 820 } });
  const thrown = [];
  page.on('pageerror', (error) => thrown.push(error.message));
  const show = (name) => page.screenshot({ path: `${pictures}/security-${name}.png` });
  const button = (name) => page.getByRole('button', { name }).click();
  const logIn = async (on = page) => {
    await on.getByLabel('E-mail').fill(email);
    await on.getByLabel('Password').fill(password);
    await on.getByRole('button', { name: 'Log in' }).click();
  };
  await page.goto(`${server}/admin`);
  await logIn();
  await page.getByRole('link', { name: 'Security' }).click();
  await page.getByRole('button', { name: 'Add an app' }).waitFor();
  const second = await (await browser.newContext()).newPage();
  await second.goto(`${server}/admin`);
  await logIn(second);
  await second.getByRole('button', { name: 'Log out' }).waitFor();
  await page.reload();
  const endIt = page.getByRole('button', { name: 'End the login' });
  await endIt.waitFor();
  await show('logins');
  await endIt.click();
  await endIt.waitFor({ state: 'detached' });
  await second.reload();
  await second.getByLabel('E-mail').waitFor();
  // Until the proof that the login was has run out.
  const asksAgain = () =>
    page.evaluate(async () => (await fetch('/api/v1/admin/session/totp', { method: 'DELETE' })).status === 403);
  while (!(await asksAgain())) await page.waitForTimeout(250);
  await button('Add an app');
  await page.getByText('Is it still you?').waitFor();
  await page.getByLabel('Password').fill('not this one');
  await button('Go on');
  await page.getByText('The password is not right.').waitFor();
  await show('proof');
  await page.getByLabel('Password').fill(password);
  await button('Go on');
  const field = page.getByLabel('The code that the app shows now');
  await field.waitFor();
  await show('add');
  const key = (await page.locator('.key').textContent()).replaceAll(' ', '');
  await field.fill(codeOf(key));
  await button('Take it into use');
  await page.getByText('The app is in use.').waitFor();
  const codes = await page.locator('.recovery li').allTextContents();
  if (codes.length !== 10) throw new Error(`${codes.length} recovery codes were shown`);
  await show('recovery');
  await button('I have kept them');
  await page.getByText('10 recovery codes are left.').waitFor();
  await page.getByRole('link', { name: 'Audit log' }).click();
  await page.getByText('second factor added').waitFor();
  await show('audit');
  // The widest page, in a narrow window.
  const out = await page.getByRole('button', { name: 'Log out' }).boundingBox();
  if (out.x + out.width > page.viewportSize().width) throw new Error('The way out lies beside the window.');
  await button('Log out');
  await logIn();
  const code = page.getByLabel('Code of your authenticator app');
  await code.waitFor();
  await code.fill('000000');
  await button('Log in');
  await page.getByText('The code is not right').waitFor();
  await show('code');
  await code.fill(codes[0].toLowerCase());
  await button('Log in');
  await page.getByRole('button', { name: 'Log out' }).click();
  await logIn();
  await code.fill(codeOf(key, 1));
  await button('Log in');
  await page.getByRole('button', { name: 'Log out' }).waitFor();
  await page.getByRole('link', { name: 'Security' }).click();
  await button('Log out everywhere else');
  await page.getByText('You are logged in here alone now.').waitFor();
  await show('others');
  if (thrown.length > 0) throw new Error(`the page failed: ${thrown.join('; ')}`);
} finally {
  await browser.close();
}
