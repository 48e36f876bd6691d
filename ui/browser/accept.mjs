/**
 * Accepts the first waiting take in a real browser, by keyboard, as a reviewer would, and finds it counted and written down
 * as an admin would; see reviewer.mjs.
 */
import { review } from './reviewer.mjs';

await review(async ({ page, picture, id }) => {
  // The picture is decoded, and the playhead moves.
  await page.waitForFunction(() => document.querySelector('video')?.readyState >= 2);
  await page.keyboard.press('Space');
  await page.waitForFunction(() => document.querySelector('video').currentTime > 0.5);
  await page.keyboard.press('Space');
  await page.getByRole('tab', { name: 'Steps' }).click();
  await picture('take');

  await page.keyboard.press('a');
  await page.keyboard.press('4');
  await page.getByText(/Accepts and accrues/).waitFor();
  await picture('decision');
  const answered = page.waitForResponse((answer) => answer.url().endsWith(`/${id}/review`));
  await page.keyboard.press('Enter');
  const answer = await answered;
  if (!answer.ok()) throw new Error(`the review was answered with ${answer.status()}: ${await answer.text()}`);
  const { stage } = await answer.json();
  if (stage !== 'accepted') throw new Error(`the take is ${stage}, not accepted`);
  await page.getByText(/^Accepted\. /).first().waitFor();
  await picture('accepted');

  const server = new URL(page.url()).origin;
  await page.goto(`${server}/admin/overview`);
  const takes = page.getByRole('region', { name: 'Takes' });
  await takes.getByRole('row', { name: 'Accepted 1' }).waitFor();
  await page.getByRole('region', { name: 'Payouts' }).getByText('Accrued, 1').waitFor();
  await picture('overview');
  await page.goto(`${server}/admin/audit`);
  await page.getByText('take viewed').first().waitFor();
  await picture('audit');
});
