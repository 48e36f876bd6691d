import { Failure } from '../../api/client';
import type { Step } from '../../api/types/Step';

/** Reads what the pipeline made of a take. A file that is missing is null: its part of the page says so. */

async function load(url: string): Promise<Response> {
  let answer: Response;
  try {
    answer = await fetch(url, { credentials: 'same-origin' });
  } catch {
    throw new Failure('offline', 'A file of this take could not be fetched.', 'Check the network, then try again.', 0, null);
  }
  if (answer.ok) return answer;
  throw new Failure(
    'unreadable',
    `A file of this take could not be fetched (status ${answer.status}).`,
    'Its address may have run out: load the page again.',
    answer.status,
    null,
  );
}

export async function loadJson<T>(url: string | undefined): Promise<T | null> {
  return url === undefined ? null : ((await (await load(url)).json()) as T);
}

export async function loadSteps(url: string | undefined): Promise<Step[] | null> {
  return url === undefined ? null : parseLines<Step>(await (await load(url)).text());
}

export function parseLines<T>(text: string): T[] {
  return text
    .split('\n')
    .filter((line) => line.trim() !== '')
    .map((line) => JSON.parse(line) as T);
}

/** `sprite.json`: tile `n` of `sprite.jpg` shows `n * every_secs`; rows are filled from the left. */
export type Sprite = { tile_width: number; tile_height: number; columns: number; count: number; every_secs: number };

export type Tile = { x: number; y: number; width: number; height: number };

export function tileAt(sprite: Sprite, t: number): Tile | null {
  if (sprite.count < 1 || sprite.columns < 1 || sprite.every_secs <= 0) return null;
  const index = Math.min(sprite.count - 1, Math.max(0, Math.floor(t / sprite.every_secs)));
  return {
    x: (index % sprite.columns) * sprite.tile_width,
    y: Math.floor(index / sprite.columns) * sprite.tile_height,
    width: sprite.tile_width,
    height: sprite.tile_height,
  };
}

/** `waveform.json`: the loudest sample, 0 to 1, of each stretch of `every_secs`; none without sound. */
export type Waveform = { every_secs: number; peaks: number[] };
