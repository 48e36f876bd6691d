import { useInfiniteQuery } from '@tanstack/react-query';
import type { ReactNode } from 'react';
import type { Page } from '../../api/page';
import { FailureNotice } from '../../shared/FailureNotice';
import { Button, Empty, Loading } from '../../shared/parts';

export type Column<T> = { name: string; end?: boolean; cell: (item: T) => ReactNode };

type Props<T> = {
  /** Key of the query; making a new item invalidates it. */
  name: string;
  /** What is listed of it, where that can be chosen. */
  part?: string | null;
  load: (cursor: string | null) => Promise<Page<T>>;
  columns: ReadonlyArray<Column<T>>;
  keyOf: (item: T) => string;
  loading: string;
  empty: ReactNode;
  refetchMillis?: number;
};

/** A list of the admin's: table, more pages, and its empty, loading and failed states. */
export function Listing<T>({ name, part, load, columns, keyOf, loading, empty, refetchMillis }: Props<T>) {
  const list = useInfiniteQuery({
    queryKey: part === undefined ? [name] : [name, part],
    queryFn: ({ pageParam }) => load(pageParam),
    initialPageParam: null as string | null,
    getNextPageParam: (page) => page.next_cursor,
    refetchInterval: refetchMillis ?? false,
  });
  if (list.isPending) return <Loading what={loading} />;
  if (list.isError) return <FailureNotice error={list.error} onRetry={() => void list.refetch()} />;
  const items = list.data.pages.flatMap((page) => page.items);
  if (items.length === 0) return <>{empty}</>;
  return (
    <>
      <div className="card table-card">
        <table className="table">
          <thead>
            <tr>
              {columns.map((column) => (
                <th key={column.name} scope="col" className={column.end ? 'end' : undefined}>
                  {column.name}
                </th>
              ))}
            </tr>
          </thead>
          <tbody>
            {items.map((item) => (
              <tr key={keyOf(item)}>
                {columns.map((column) => (
                  <td key={column.name} className={column.end ? 'end numbers' : undefined}>
                    {column.cell(item)}
                  </td>
                ))}
              </tr>
            ))}
          </tbody>
        </table>
      </div>
      {list.hasNextPage ? (
        <Button className="more" onClick={() => void list.fetchNextPage()} disabled={list.isFetchingNextPage}>
          {list.isFetchingNextPage ? 'Loading more' : 'Load more'}
        </Button>
      ) : null}
    </>
  );
}

export function ListPage({ title, about, children }: { title: string; about: string; children: ReactNode }) {
  return (
    <div className="page">
      <div>
        <h1>{title}</h1>
        <p className="muted">{about}</p>
      </div>
      {children}
    </div>
  );
}

export function NoItems({ title, children }: { title: string; children?: ReactNode }) {
  return <Empty title={title}>{children}</Empty>;
}
