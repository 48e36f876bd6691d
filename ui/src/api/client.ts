import type { ApiError } from './types/ApiError';
import type { ErrorCode } from './types/ErrorCode';

/** `offline`: no answer came. `unreadable`: an answer that is not the server's own, as from a proxy on the way. */
export type FailureCode = ErrorCode | 'offline' | 'unreadable';

/** Why a request failed, in the words a person can be shown. */
export class Failure extends Error {
  override readonly name = 'Failure';

  constructor(
    readonly code: FailureCode,
    message: string,
    readonly hint: string,
    readonly status: number,
    readonly requestId: string | null,
  ) {
    super(message);
  }
}

export function asFailure(error: unknown): Failure {
  if (error instanceof Failure) return error;
  const message = error instanceof Error ? error.message : String(error);
  return new Failure('unreadable', 'Something went wrong on this page.', message, 0, null);
}

function isApiError(body: unknown): body is ApiError {
  return typeof body === 'object' && body !== null && 'code' in body && 'message' in body;
}

async function failureOf(answer: Response): Promise<Failure> {
  const body: unknown = await answer.json().catch(() => null);
  if (isApiError(body)) return new Failure(body.code, body.message, body.hint, answer.status, body.request_id);
  return new Failure(
    'unreadable',
    `The server answered with status ${answer.status} and no reason.`,
    'Try again in a minute. If it stays so, tell the one who runs the server.',
    answer.status,
    answer.headers.get('x-request-id'),
  );
}

type Method = 'GET' | 'POST' | 'PUT' | 'PATCH' | 'DELETE';

/** Asks the person for password or code; false where they would rather not. */
type ProofAsker = () => Promise<boolean>;
let askForProof: ProofAsker | null = null;

/** The page that can ask says so here, and takes it back when it goes. */
export function onProofRequired(asker: ProofAsker): () => void {
  askForProof = asker;
  return () => {
    if (askForProof === asker) askForProof = null;
  };
}

/**
 * Sends JSON to `/api/v1` and gives back JSON (undefined for an empty answer); throws a `Failure`. What the server does only
 * after a fresh password or code is sent again once the person has shown it.
 */
export async function request<T>(method: Method, path: string, body?: unknown, signal?: AbortSignal): Promise<T> {
  try {
    return await send<T>(method, path, body, signal);
  } catch (error) {
    const mayAsk = error instanceof Failure && error.code === 'proof_required' && path !== PROOF_PATH;
    if (!mayAsk || askForProof === null || !(await askForProof())) throw error;
    return send<T>(method, path, body, signal);
  }
}

export const PROOF_PATH = '/admin/session/proof';

async function send<T>(method: Method, path: string, body?: unknown, signal?: AbortSignal): Promise<T> {
  const init: RequestInit = { method, headers: { accept: 'application/json' }, credentials: 'same-origin' };
  if (signal) init.signal = signal;
  if (body !== undefined) {
    init.headers = { accept: 'application/json', 'content-type': 'application/json' };
    init.body = JSON.stringify(body);
  }
  let answer: Response;
  try {
    answer = await fetch(`/api/v1${path}`, init);
  } catch (error) {
    if (signal?.aborted) throw error;
    throw new Failure('offline', 'The server cannot be reached.', 'Check the network, then try again.', 0, null);
  }
  if (!answer.ok) throw await failureOf(answer);
  const text = await answer.text();
  if (text === '') return undefined as T;
  try {
    return JSON.parse(text) as T;
  } catch {
    throw new Failure(
      'unreadable',
      'The answer could not be read.',
      'Load the page again. If it stays so, the server and this page may be of different versions.',
      answer.status,
      answer.headers.get('x-request-id'),
    );
  }
}

/** Puts the fields that are present into a query string. */
export function query(fields: Record<string, string | number | null | undefined>): string {
  const search = new URLSearchParams();
  for (const [name, value] of Object.entries(fields)) {
    if (value !== null && value !== undefined && value !== '') search.set(name, String(value));
  }
  const text = search.toString();
  return text === '' ? '' : `?${text}`;
}
