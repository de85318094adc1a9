// What the pages about fixes and contained people ask the API.
import { infiniteQueryOptions, queryOptions } from '@tanstack/react-query';
import { api, unwrap } from '@/api/client';
import type { ContainmentState, FixState, operations } from '@/api/schema';
import { isLive } from './stages';

type Query<Op extends keyof operations> = NonNullable<operations[Op]['parameters']['query']>;
type Paged<Op extends keyof operations> = Omit<Query<Op>, 'cursor' | 'limit'>;

const PAGE = 100;
const first = null as string | null;
const following = (page: { next?: string | null }) => page.next ?? undefined;
const at = (cursor: string | null) => ({ limit: PAGE, ...(cursor ? { cursor } : {}) });

/** How soon to look again: at once while something is sent, now and then while it waits for its time. */
const soon = (state: FixState | undefined) => (state && isLive(state) ? 1000 : state === 'scheduled' ? 5000 : false);
const acting = (state: ContainmentState | undefined) => (state === 'acting' || state === 'releasing' ? 1000 : false);

export const fixesQuery = (query: Paged<'list_fixes'>) =>
  infiniteQueryOptions({
    queryKey: ['list_fixes', query], initialPageParam: first, getNextPageParam: following,
    queryFn: ({ pageParam }) => unwrap(api.GET('/api/v1/fixes', { params: { query: { ...query, ...at(pageParam) } } })),
    refetchInterval: ({ state }) => (state.data?.pages.some((page) => page.items.some((fix) => isLive(fix.state))) ? 2000 : false),
  });

export const fixQuery = (fix: string) =>
  queryOptions({ queryKey: ['get_fix', fix], queryFn: () => unwrap(api.GET('/api/v1/fixes/{fix}', { params: { path: { fix } } })), refetchInterval: ({ state }) => soon(state.data?.state) });

export const planQuery = (plan: string) =>
  queryOptions({ queryKey: ['get_fix_plan', plan], queryFn: () => unwrap(api.GET('/api/v1/fix-plans/{plan}', { params: { path: { plan } } })) });

/** Asked for by a person, never by itself: the answer is made by the operator's assistant. */
export const explanationQuery = (fix: string, digest: string) =>
  queryOptions({ queryKey: ['explain_fix', fix, digest], queryFn: () => unwrap(api.GET('/api/v1/fixes/{fix}/explanation', { params: { path: { fix } } })), staleTime: Infinity, retry: false });

export const recipesQuery = (directory?: string) =>
  queryOptions({ queryKey: ['list_fix_recipes', directory], queryFn: () => unwrap(api.GET('/api/v1/fix-recipes', { params: { query: { directory } } })), staleTime: 60_000 });

export const fixSettingsQuery = (directory: string) =>
  queryOptions({ queryKey: ['get_fix_settings', directory], queryFn: () => unwrap(api.GET('/api/v1/fix-settings/{directory}', { params: { path: { directory } } })) });

export const containmentsQuery = (query: Paged<'list_containments'>) =>
  infiniteQueryOptions({
    queryKey: ['list_containments', query], initialPageParam: first, getNextPageParam: following,
    queryFn: ({ pageParam }) => unwrap(api.GET('/api/v1/containments', { params: { query: { ...query, ...at(pageParam) } } })),
    refetchInterval: ({ state }) => (state.data?.pages.some((page) => page.items.some((each) => acting(each.state))) ? 2000 : false),
  });

export const containmentQuery = (containment: string) =>
  queryOptions({
    queryKey: ['get_containment', containment], queryFn: () => unwrap(api.GET('/api/v1/containments/{containment}', { params: { path: { containment } } })), refetchInterval: ({ state }) => acting(state.data?.state),
  });
