/** What the client tests share: bytes that begin like a recording, what the server has, and a list of named checks. */
import assert from 'node:assert/strict';
import { createHash, randomBytes } from 'node:crypto';

export const server = process.env.SERVER_URL;
export const tokens = (process.env.WORKER_TOKENS ?? '').split(/\s+/).filter(Boolean);
export const all = process.argv.includes('--all');
if (!server || tokens.length === 0) {
  process.stderr.write('SERVER_URL and WORKER_TOKENS must be set; tests/clients.sh does that.\n');
  process.exit(2);
}

export const uploads = (port) => `${port ? `http://127.0.0.1:${port}` : server}/api/v1/uploads`;
export const auth = (token = tokens[0]) => ({ Authorization: `Bearer ${token}` });

export function video(bytes) {
  const whole = randomBytes(bytes);
  Buffer.from('\0\0\0\x20ftypisom', 'latin1').copy(whole);
  return whole;
}

/** An upload's address on the server itself, whatever line it was made over. */
export const direct = (url) => new URL(new URL(url).pathname, server).href;

export async function arrived(url, whole, token = tokens[0]) {
  const answer = await fetch(direct(url), { headers: auth(token) });
  assert.equal(answer.status, 200, `GET of the finished upload: ${answer.status}`);
  const sum = (bytes) => createHash('sha256').update(bytes).digest('hex');
  assert.equal(sum(Buffer.from(await answer.arrayBuffer())), sum(whole), 'the bytes on the server');
}

export async function told(url, token = tokens[0]) {
  return fetch(direct(url), { method: 'HEAD', headers: { ...auth(token), 'Tus-Resumable': '1.0.0' } });
}

const LONGEST_MILLIS = 60_000;

/** Runs each, one after the other; prints a line a check, and ends with 1 if one failed. */
export async function run(client, checks) {
  let failed = 0;
  for (const [name, check] of Object.entries(checks)) {
    let timer;
    const late = new Promise((_, reject) => {
      timer = setTimeout(() => reject(new Error(`not done after ${LONGEST_MILLIS} ms`)), LONGEST_MILLIS);
    });
    try {
      await Promise.race([check(), late]);
      console.log(`${client}: ${name}: ok`);
    } catch (error) {
      failed += 1;
      console.log(`${client}: ${name}: FAILED: ${error.stack ?? error}`);
    } finally {
      clearTimeout(timer);
    }
  }
  process.exit(failed > 0 ? 1 : 0);
}
