// What the pages about the catalogue ask the API.
import { infiniteQueryOptions, queryOptions } from '@tanstack/react-query';
import { api, unwrap } from '@/api/client';
import type { operations } from '@/api/schema';

type Query = Omit<NonNullable<operations['list_catalogue']['parameters']['query']>, 'cursor' | 'limit'>;

const first = null as string | null;
const following = (page: { next?: string | null }) => page.next ?? undefined;

// The catalogue changes with the program only.
const kept = { staleTime: Infinity };

export const catalogueQuery = (query: Query) =>
  infiniteQueryOptions({
    queryKey: ['list_catalogue', query], initialPageParam: first, getNextPageParam: following, ...kept,
    queryFn: ({ pageParam }) => unwrap(api.GET('/api/v1/catalogue', { params: { query: { ...query, limit: 100, ...(pageParam ? { cursor: pageParam } : {}) } } })),
  });

export const checkQuery = (check: string) =>
  queryOptions({ queryKey: ['get_catalogue_check', check], queryFn: () => unwrap(api.GET('/api/v1/catalogue/{check}', { params: { path: { check } } })), ...kept });
