// What pages ask the API, with the key each answer is kept under. Every key begins with the name of the operation.
import { infiniteQueryOptions, type QueryClient, queryOptions } from '@tanstack/react-query';
import { api, unwrap } from './client';
import type { operations, Run, RunState } from './schema';

type Query<Op extends keyof operations> = NonNullable<operations[Op]['parameters']['query']>;
type Paged<Op extends keyof operations> = Omit<Query<Op>, 'cursor' | 'limit'>;

const PAGE = 100;
const SETTLED: RunState[] = ['succeeded', 'failed', 'duplicate'];
const settled = (run: Pick<Run, 'state'> | undefined) => run !== undefined && SETTLED.includes(run.state);

const first = null as string | null;
const following = (page: { next?: string | null }) => page.next ?? undefined;
const at = (cursor: string | null) => ({ limit: PAGE, ...(cursor ? { cursor } : {}) });

export const overviewQuery = (query: Query<'get_overview'>) =>
  queryOptions({ queryKey: ['get_overview', query], queryFn: () => unwrap(api.GET('/api/v1/overview', { params: { query } })) });

export const findingsQuery = (query: Paged<'list_findings'>) =>
  infiniteQueryOptions({
    queryKey: ['list_findings', query], initialPageParam: first, getNextPageParam: following,
    queryFn: ({ pageParam }) => unwrap(api.GET('/api/v1/findings', { params: { query: { ...query, ...at(pageParam) } } })),
  });

export const facetsQuery = (query: Paged<'get_facets'>) =>
  queryOptions({ queryKey: ['get_facets', query], queryFn: () => unwrap(api.GET('/api/v1/findings/facets', { params: { query } })) });

export const findingQuery = (finding: string) =>
  queryOptions({ queryKey: ['get_finding', finding], queryFn: () => unwrap(api.GET('/api/v1/findings/{finding}', { params: { path: { finding } } })) });

export const driftQuery = (query: Query<'get_drift'>) =>
  queryOptions({ queryKey: ['get_drift', query], queryFn: () => unwrap(api.GET('/api/v1/drift', { params: { query } })) });

export const seriesQuery = (query: Query<'list_series'>) =>
  queryOptions({ queryKey: ['list_series', query], queryFn: () => unwrap(api.GET('/api/v1/series', { params: { query: { ...query, limit: 200 } } })) });

export const runsQuery = (query: Paged<'list_runs'>) =>
  infiniteQueryOptions({
    queryKey: ['list_runs', query], initialPageParam: first, getNextPageParam: following,
    queryFn: ({ pageParam }) => unwrap(api.GET('/api/v1/runs', { params: { query: { ...query, ...at(pageParam) } } })),
    // Follows along while something is on its way.
    refetchInterval: ({ state }) => (state.data?.pages[0]?.items.some((run) => !settled(run)) ? 3000 : false),
  });

export const runQuery = (run: string) =>
  queryOptions({
    queryKey: ['get_run', run], queryFn: () => unwrap(api.GET('/api/v1/runs/{run}', { params: { path: { run } } })),
    refetchInterval: ({ state }) => (state.data && !settled(state.data) ? 2000 : false),
  });

export const observationsQuery = (run: string, query: Paged<'list_run_observations'>) =>
  infiniteQueryOptions({
    queryKey: ['list_run_observations', run, query], initialPageParam: first, getNextPageParam: following,
    queryFn: ({ pageParam }) => unwrap(api.GET('/api/v1/runs/{run}/observations', { params: { path: { run }, query: { ...query, ...at(pageParam) } } })),
  });

export const controlsQuery = (query: Paged<'list_controls'>) =>
  infiniteQueryOptions({
    queryKey: ['list_controls', query], initialPageParam: first, getNextPageParam: following,
    queryFn: ({ pageParam }) => unwrap(api.GET('/api/v1/controls', { params: { query: { ...query, ...at(pageParam) } } })),
  });

export const reportsQuery = (query: Paged<'list_reports'>) =>
  infiniteQueryOptions({
    queryKey: ['list_reports', query], initialPageParam: first, getNextPageParam: following,
    queryFn: ({ pageParam }) => unwrap(api.GET('/api/v1/reports', { params: { query: { ...query, ...at(pageParam) } } })),
  });

export const trailQuery = (query: Paged<'list_trail'>) =>
  infiniteQueryOptions({
    queryKey: ['list_trail', query], initialPageParam: first, getNextPageParam: following,
    queryFn: ({ pageParam }) => unwrap(api.GET('/api/v1/trail', { params: { query: { ...query, ...at(pageParam) } } })),
  });

// Lists of settings are short: one page of 200 is all of them in practice; the first is shown where it is not.
const all = { params: { query: { limit: 200 } } };
export const directoriesQuery = queryOptions({ queryKey: ['list_directories'], queryFn: () => unwrap(api.GET('/api/v1/directories', all)), staleTime: 60_000 });
export const projectsQuery = queryOptions({ queryKey: ['list_projects'], queryFn: () => unwrap(api.GET('/api/v1/projects', all)), staleTime: 60_000 });
export const membersQuery = queryOptions({ queryKey: ['list_members'], queryFn: () => unwrap(api.GET('/api/v1/members', all)) });
export const keysQuery = queryOptions({ queryKey: ['list_api_keys'], queryFn: () => unwrap(api.GET('/api/v1/api-keys', all)) });
export const settingsQuery = queryOptions({ queryKey: ['get_settings'], queryFn: () => unwrap(api.GET('/api/v1/settings')) });

/** Makes answers of these operations stale after a change. */
export function changed(client: QueryClient, ...names: (keyof operations)[]): void {
  for (const name of names) void client.invalidateQueries({ queryKey: [name] });
}
