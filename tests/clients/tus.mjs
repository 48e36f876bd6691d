/** tus-js-client against a running server. Run by tests/clients.sh. */
import assert from 'node:assert/strict';
import { Readable } from 'node:stream';
import { Upload } from 'tus-js-client';
import { all, arrived, auth, direct, run, told, uploads, video } from './check.mjs';
import { open } from './line.mjs';

const MIB = 1 << 20;
const RETRIES = [0, 50, 100, 200, 400, 800, 1600];

/** Uploads and tells where; `during(upload, sent)` is called as it goes on. */
function send(whole, options = {}, during = () => undefined) {
  return new Promise((resolve, reject) => {
    const upload = new Upload(whole, {
      endpoint: uploads(),
      headers: auth(),
      chunkSize: MIB,
      retryDelays: RETRIES,
      storeFingerprintForResuming: false,
      ...options,
      onSuccess: () => resolve(upload.url),
      onError: reject,
      onProgress: (sent) => during(upload, sent, resolve),
    });
    upload.start();
  });
}

const checks = {
  async 'a name beyond ASCII'() {
    const whole = video(3 * MIB);
    const metadata = { filename: 'größe ☃ "quoted".mp4', filetype: 'video/mp4' };
    const url = await send(whole, { metadata });
    await arrived(url, whole);
    const value = (await told(url)).headers.get('upload-metadata');
    assert.equal(Buffer.from(value.match(/filename ([^,]+)/)[1], 'base64').toString(), metadata.filename);
  },
  async 'no metadata'() {
    const whole = video(MIB + 1);
    await arrived(await send(whole), whole);
  },
  async 'an empty file'() {
    await arrived(await send(Buffer.alloc(0)), Buffer.alloc(0));
  },
  async 'bytes with the creation'() {
    const whole = video(2 * MIB);
    await arrived(await send(whole, { uploadDataDuringCreation: true }), whole);
  },
  async 'in one piece'() {
    const whole = video(5 * MIB);
    await arrived(await send(whole, { chunkSize: Infinity }), whole);
  },
  async 'a length told at the end'() {
    const whole = video(3 * MIB + 17);
    const stream = Readable.from((function* pieces() {
      for (let at = 0; at < whole.length; at += 100_000) yield whole.subarray(at, at + 100_000);
    })());
    const url = await send(stream, { uploadLengthDeferred: true, uploadSize: null });
    await arrived(url, whole);
  },
  async 'POST in place of PATCH'() {
    const whole = video(2 * MIB);
    await arrived(await send(whole, { overridePatchMethod: true }), whole);
  },
  async 'aborted and resumed'() {
    const whole = video(4 * MIB);
    for (const at of all ? [1, MIB, 2 * MIB + 5, 3 * MIB] : [MIB + 5]) {
      const url = await send(whole, {}, (upload, sent, stopped) => {
        if (sent >= at) void upload.abort().then(() => stopped(upload.url));
      });
      const offset = Number((await told(url)).headers.get('upload-offset'));
      assert.ok(offset < whole.length, `${offset} of ${whole.length} when it was aborted`);
      await arrived(await send(whole, { uploadUrl: url }), whole);
    }
  },
  async 'aborted for good'() {
    const url = await send(video(4 * MIB), {}, (upload, sent, stopped) => {
      if (sent >= MIB) void upload.abort(true).then(() => stopped(upload.url));
    });
    assert.equal((await told(url)).status, 404);
  },
  async 'a line that is cut again and again'() {
    const whole = video(6 * MIB);
    for (const cutAfter of all ? [1000, 300_000, MIB, 2_500_000] : [700_000]) {
      const line = await open(new URL(uploads()).port, { cutAfter, cuts: 5 });
      const url = await send(whole, { endpoint: uploads(line.port), onShouldRetry: () => true });
      assert.equal(line.cuts(), 5, 'the line was cut');
      line.close();
      await arrived(url, whole);
    }
  },
  async 'a writer that stalls is replaced'() {
    const whole = video(4 * MIB);
    const line = await open(new URL(uploads()).port, { stallAfter: MIB + 500_000 });
    const stalled = new Upload(whole, {
      endpoint: uploads(line.port),
      headers: auth(),
      chunkSize: 2 * MIB,
      retryDelays: null,
      onError: () => undefined,
    });
    stalled.start();
    await line.stalled;
    const began = Date.now();
    const url = await send(whole, { uploadUrl: direct(stalled.url) });
    assert.ok(Date.now() - began < 10_000, 'nobody waits for the one that stalls');
    line.close();
    await stalled.abort();
    await arrived(url, whole);
  },
  async 'two writers at once'() {
    for (let round = 0; round < (all ? 10 : 2); round += 1) {
      const whole = video(4 * MIB);
      const made = await send(whole, {}, (upload, sent, stopped) => {
        if (sent > 0) void upload.abort().then(() => stopped(upload.url));
      });
      // A client that is told of the other goes on at the offset or gives up; the file must be right.
      const race = [500_000, 300_001].map((chunkSize) => send(whole, { uploadUrl: made, chunkSize }));
      const ended = await Promise.allSettled(race);
      if (ended.every(({ status }) => status === 'rejected')) await send(whole, { uploadUrl: made });
      await arrived(made, whole);
    }
  },
  async 'a program is refused'() {
    const program = Buffer.concat([Buffer.from('\x7fELF', 'latin1'), Buffer.alloc(MIB)]);
    await assert.rejects(send(program, { retryDelays: null }), (error) => {
      assert.equal(error.originalResponse.getStatus(), 415);
      return true;
    });
  },
};

await run('tus-js-client', checks);
