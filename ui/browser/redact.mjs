/** Has a stretch of the first waiting take redacted, by dragging over its timeline; see reviewer.mjs. */
import { review } from './reviewer.mjs';

await review(async ({ page, picture, id }) => {
  await page.waitForFunction(() => document.querySelector('video')?.readyState >= 2);
  await page.getByRole('button', { name: 'Redact', exact: true }).click();
  const plot = await page.getByRole('slider', { name: 'Position' }).boundingBox();
  const y = plot.y + plot.height / 2;
  await page.mouse.move(plot.x + plot.width * 0.25, y);
  await page.mouse.down();
  await page.mouse.move(plot.x + plot.width * 0.5, y, { steps: 8 });
  await page.mouse.up();
  await picture('redact-chosen');
  const bar = page.getByRole('region', { name: 'Redact' });
  await bar.getByRole('button', { name: 'Redact', exact: true }).click();
  const dialog = page.getByRole('alertdialog');
  await dialog.getByText('This cannot be undone').waitFor();
  await picture('redact-asked');
  const answered = page.waitForResponse((answer) => answer.url().endsWith(`/${id}/redact`));
  await dialog.getByRole('button', { name: 'Redact for good' }).click();
  const answer = await answered;
  if (answer.status() !== 202) throw new Error(`the redaction was answered with ${answer.status()}: ${await answer.text()}`);
  await page.getByText('A stretch of this take is being redacted.').waitFor();
  await page.getByText('Wait until the redaction is done.').waitFor();
  await picture('redact-begun');
});
