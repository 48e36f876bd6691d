import { afterEach, expect, test, vi } from 'vitest';
import { onProofRequired, PROOF_PATH, query, request } from './client';

afterEach(() => vi.unstubAllGlobals());

const answers = (make: () => Promise<Response>) => vi.stubGlobal('fetch', vi.fn(make));

test("the server's own words reach the page", async () => {
  const body = { code: 'version_conflict', message: 'It changed.', hint: 'Load it again.', request_id: 'r1' };
  answers(async () => new Response(JSON.stringify(body), { status: 409 }));
  await expect(request('GET', '/x')).rejects.toMatchObject({
    code: 'version_conflict',
    message: 'It changed.',
    hint: 'Load it again.',
    requestId: 'r1',
    status: 409,
  });
});

test("an answer that is not the server's own still tells what to do", async () => {
  answers(async () => new Response('<html>Bad gateway</html>', { status: 502 }));
  await expect(request('GET', '/x')).rejects.toMatchObject({ code: 'unreadable', status: 502 });
  answers(async () => new Response('<html></html>', { status: 200 }));
  await expect(request('GET', '/x')).rejects.toMatchObject({ code: 'unreadable' });
});

test('no answer is offline', async () => {
  answers(async () => {
    throw new TypeError('failed to fetch');
  });
  await expect(request('POST', '/x', {})).rejects.toMatchObject({ code: 'offline' });
});

test('an empty answer is undefined', async () => {
  answers(async () => new Response(null, { status: 204 }));
  await expect(request('DELETE', '/x')).resolves.toBeUndefined();
});

test('only what is present is asked for', () => {
  expect(query({ stage: 'ready', cursor: null, worker: '' })).toBe('?stage=ready');
  expect(query({ cursor: undefined })).toBe('');
});

test('a request that needs a proof is sent again after it, and only then', async () => {
  const body = { code: 'proof_required', message: 'Again.', hint: 'Give it.', request_id: 'r1' };
  let isProven = false;
  answers(async () => new Response(isProven ? '{"done":true}' : JSON.stringify(body), { status: isProven ? 200 : 403 }));
  await expect(request('POST', '/x', {})).rejects.toMatchObject({ code: 'proof_required' });
  const leave = onProofRequired(async () => false);
  await expect(request('POST', '/x', {})).rejects.toMatchObject({ code: 'proof_required' });
  leave();
  const asked = vi.fn(async () => {
    isProven = true;
    return true;
  });
  const end = onProofRequired(asked);
  await expect(request('POST', '/x', {})).resolves.toEqual({ done: true });
  expect(asked).toHaveBeenCalledTimes(1);
  isProven = false;
  await expect(request('POST', PROOF_PATH, {})).rejects.toMatchObject({ code: 'proof_required' });
  expect(asked).toHaveBeenCalledTimes(1);
  end();
});
