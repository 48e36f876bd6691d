/**
 * Uppy in a real browser, on a page of another site, against a running server. Run by tests/clients.sh, which sets
 * PAGE_PORT (the server lets that site in) and the rest.
 */
import assert from 'node:assert/strict';
import { createHash } from 'node:crypto';
import http from 'node:http';
import { build } from 'esbuild';
import { chromium } from '../../ui/node_modules/playwright-core/index.mjs';
import { all, auth, direct, run, told, tokens, uploads } from './check.mjs';
import { open } from './line.mjs';

const MIB = 1 << 20;
const token = tokens.at(-1);

const script = await build({
  stdin: {
    contents: `
      import Uppy from '@uppy/core';
      import Tus from '@uppy/tus';
      // The n-th file is the same in each run and begins like a recording.
      globalThis.file = (name, bytes, seed) => {
        const whole = new Uint8Array(bytes);
        for (let at = 0; at < bytes; at += 1) whole[at] = (at * 31 + seed) % 251;
        whole.set([0, 0, 0, 32, 102, 116, 121, 112, 105, 115, 111, 109].slice(0, bytes));
        return new File([whole], name, { type: 'video/mp4' });
      };
      globalThis.uppy = (endpoint, headers, chunkSize) =>
        new Uppy({ autoProceed: false }).use(Tus, {
          endpoint, headers, chunkSize, retryDelays: [0, 50, 100, 200, 400, 800, 1600, 3200], limit: 3,
        });
    `,
    resolveDir: import.meta.dirname,
  },
  bundle: true,
  write: false,
  format: 'iife',
});
const site = http.createServer((request, response) => {
  const isScript = request.url === '/page.js';
  response.writeHead(200, { 'Content-Type': isScript ? 'text/javascript' : 'text/html; charset=utf-8' });
  response.end(isScript ? script.outputFiles[0].text : '<!doctype html><title>Uppy</title><script src="/page.js"></script>');
});
await new Promise((resolve) => site.listen(Number(process.env.PAGE_PORT), '127.0.0.1', resolve));
const browser = await chromium.launch({
  executablePath: process.env.CHROMIUM ?? '/usr/bin/chromium',
  args: ['--no-sandbox', '--disable-gpu'],
});
process.on('exit', () => void browser.close());

function expected(bytes, seed) {
  const whole = Buffer.alloc(bytes);
  for (let at = 0; at < bytes; at += 1) whole[at] = (at * 31 + seed) % 251;
  Buffer.from([0, 0, 0, 32, 102, 116, 121, 112, 105, 115, 111, 109]).copy(whole);
  return createHash('sha256').update(whole).digest('hex');
}

async function isThere(url, bytes, seed) {
  const answer = await fetch(direct(url), { headers: auth(token) });
  assert.equal(answer.status, 200, `GET of the finished upload: ${answer.status}`);
  const got = createHash('sha256').update(Buffer.from(await answer.arrayBuffer())).digest('hex');
  assert.equal(got, expected(bytes, seed), `${url} on the server`);
}

/** A fresh page, with `work` done in it; `argument` is what it gets. */
async function inPage(work, argument, prepare = async () => undefined) {
  const page = await browser.newPage();
  try {
    await page.goto(`http://127.0.0.1:${process.env.PAGE_PORT}/`);
    await prepare(page);
    return await page.evaluate(work, { endpoint: uploads(), headers: auth(token), ...argument });
  } finally {
    await page.close();
  }
}

const checks = {
  async 'three files with names beyond ASCII'() {
    const urls = await inPage(async ({ endpoint, headers, sizes }) => {
      const made = uppy(endpoint, headers, 1 << 20);
      sizes.forEach((bytes, seed) => made.addFile({ name: `größe ☃ ${seed}.mp4`, data: file(`${seed}.mp4`, bytes, seed) }));
      const { successful } = await made.upload();
      return successful.map(({ name, uploadURL }) => [name, uploadURL]);
    }, { sizes: [100, 3 * MIB, MIB + 1] });
    assert.equal(urls.length, 3);
    for (const [name, url] of urls) {
      const seed = Number(name.match(/(\d)\.mp4/)[1]);
      await isThere(url, [100, 3 * MIB, MIB + 1][seed], seed);
    }
  },
  async 'paused and resumed'() {
    const url = await inPage(async ({ endpoint, headers, pauses }) => {
      const made = uppy(endpoint, headers, 300_000);
      const id = made.addFile({ name: 'take.mp4', data: file('take.mp4', 4 << 20, 7) });
      let left = pauses;
      made.on('upload-progress', (_, { bytesUploaded }) => {
        if (left > 0 && bytesUploaded > (pauses - left + 1) * 500_000) {
          left -= 1;
          made.pauseResume(id);
          setTimeout(() => made.pauseResume(id), 100);
        }
      });
      const { successful } = await made.upload();
      if (left === pauses) throw new Error('it was never paused');
      return successful[0]?.uploadURL;
    }, { pauses: all ? 4 : 1 });
    await isThere(url, 4 * MIB, 7);
  },
  async 'a line that is cut again and again'() {
    const line = await open(new URL(uploads()).port, { cutAfter: 600_000, cuts: all ? 6 : 3 });
    const url = await inPage(async ({ endpoint, headers }) => {
      const made = uppy(endpoint, headers, 1 << 20);
      made.addFile({ name: 'take.mp4', data: file('take.mp4', 5 << 20, 9) });
      const { successful, failed } = await made.upload();
      if (!successful[0]) throw new Error(failed[0]?.error ?? 'nothing arrived');
      return successful[0].uploadURL;
    }, { endpoint: uploads(line.port) });
    assert.ok(line.cuts() > 0, 'the line was cut');
    line.close();
    await isThere(url, 5 * MIB, 9);
  },
  async 'another page takes over from a line that stalls'() {
    const line = await open(new URL(uploads()).port, { stallAfter: 600_000 });
    const first = await browser.newPage();
    await first.goto(`http://127.0.0.1:${process.env.PAGE_PORT}/`);
    const begun = await first.evaluate(
      ({ endpoint, headers }) =>
        new Promise((resolve) => {
          const made = uppy(endpoint, headers, 400_000);
          const id = made.addFile({ name: 'take.mp4', data: file('take.mp4', 5 << 20, 11) });
          made.on('upload-progress', () => {
            const url = made.getFile(id)?.tus?.uploadUrl;
            if (url) resolve(url);
          });
          void made.upload();
        }),
      { endpoint: uploads(line.port), headers: auth(token) },
    );
    await line.stalled;
    const url = await inPage(async ({ endpoint, headers, begun }) => {
      const made = uppy(endpoint, headers, 1 << 20);
      const id = made.addFile({ name: 'take.mp4', data: file('take.mp4', 5 << 20, 11) });
      made.setFileState(id, { tus: { uploadUrl: begun } });
      const { successful, failed } = await made.upload();
      if (!successful[0]) throw new Error(failed[0]?.error ?? 'nothing arrived');
      return successful[0].uploadURL;
    }, { begun: direct(begun) });
    assert.equal(direct(url), direct(begun), 'it is the same upload');
    await first.close();
    line.close();
    await isThere(url, 5 * MIB, 11);
  },
  async 'cancelled'() {
    const url = await inPage(async ({ endpoint, headers }) => {
      const made = uppy(endpoint, headers, 200_000);
      // Long enough that it cannot be whole before it is cancelled.
      const id = made.addFile({ name: 'take.mp4', data: file('take.mp4', 64 << 20, 3) });
      const address = new Promise((resolve) => {
        made.on('upload-progress', (_, { bytesUploaded }) => {
          if (bytesUploaded > 1_000_000) resolve(made.getFile(id)?.tus?.uploadUrl);
        });
      });
      void made.upload();
      const found = await address;
      const gone = new Promise((resolve) => {
        const watch = new PerformanceObserver((list) => {
          if (list.getEntries().some((entry) => entry.name === found)) resolve();
        });
        watch.observe({ type: 'resource' });
      });
      made.removeFile(id);
      await gone;
      return found;
    }, {});
    const until = Date.now() + 10_000;
    let status = 200;
    while (status !== 404 && Date.now() < until) status = (await told(url, token)).status;
    assert.equal(status, 404);
  },
  async 'a site that is not named'() {
    const other = await browser.newPage();
    try {
      await other.goto('about:blank');
      const failure = await other.evaluate(async ({ endpoint, headers }) => {
        try {
          await fetch(endpoint, { method: 'POST', headers: { ...headers, 'Tus-Resumable': '1.0.0', 'Upload-Length': '1' } });
          return 'let in';
        } catch (error) {
          return String(error);
        }
      }, { endpoint: uploads(), headers: auth(token) });
      assert.match(failure, /Failed to fetch/);
    } finally {
      await other.close();
    }
  },
};

await run('Uppy', checks);
