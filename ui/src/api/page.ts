/** One page of a list, as the server gives it; `next_cursor` is null on the last. Generic, so that it is not generated. */
export type Page<T> = { items: T[]; next_cursor: string | null };
