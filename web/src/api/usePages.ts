// The pages of a list as one list.
import { keepPreviousData, type InfiniteData, type UseInfiniteQueryOptions, useInfiniteQuery } from '@tanstack/react-query';

type Page<T> = { items: T[]; next?: string | null };
type Options<P> = UseInfiniteQueryOptions<P, Error, InfiniteData<P>, any, string | null>;

export function usePages<P extends Page<unknown>>(options: Options<P>) {
  const query = useInfiniteQuery({ placeholderData: keepPreviousData, ...options });
  const pages = query.data?.pages;
  return {
    query,
    rows: pages?.flatMap((page) => page.items as P['items'][number][]),
    /** The first page, for what is said once about the whole list. */
    first: pages?.[0],
    pages: pages?.length ?? 0,
    more: { has: query.hasNextPage, loading: query.isFetchingNextPage, load: () => void query.fetchNextPage() },
  };
}
