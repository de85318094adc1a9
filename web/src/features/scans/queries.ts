// What the pages about scans and the live views ask the API.
import { infiniteQueryOptions, queryOptions } from '@tanstack/react-query';
import { api, unwrap } from '@/api/client';
import type { operations, Scan } from '@/api/schema';

type Query<Op extends keyof operations> = NonNullable<operations[Op]['parameters']['query']>;
type Paged<Op extends keyof operations> = Omit<Query<Op>, 'cursor' | 'limit'>;

const PAGE = 100;
const first = null as string | null;
const following = (page: { next?: string | null }) => page.next ?? undefined;
const at = (cursor: string | null) => ({ limit: PAGE, ...(cursor ? { cursor } : {}) });

export const settled = (scan: Pick<Scan, 'state'>) => scan.state === 'completed' || scan.state === 'failed' || scan.state === 'cancelled';

export const scansQuery = (query: Paged<'list_scans'>) =>
  infiniteQueryOptions({
    queryKey: ['list_scans', query], initialPageParam: first, getNextPageParam: following,
    queryFn: ({ pageParam }) => unwrap(api.GET('/api/v1/scans', { params: { query: { ...query, ...at(pageParam) } } })),
    // Follows along while something is on its way.
    refetchInterval: ({ state }) => (state.data?.pages[0]?.items.some((scan) => !settled(scan)) ? 3000 : false),
  });

/** The newest completed scans, to say of each directory when it was last looked at. */
export const latestScansQuery = queryOptions({
  queryKey: ['list_scans', 'latest'], queryFn: () => unwrap(api.GET('/api/v1/scans', { params: { query: { state: 'completed', limit: 200 } } })),
});

export const scanQuery = (scan: string) =>
  queryOptions({
    queryKey: ['get_scan', scan], queryFn: () => unwrap(api.GET('/api/v1/scans/{scan}', { params: { path: { scan } } })),
    // What it did to findings is known a moment after it completed, when its run has been processed.
    refetchInterval: ({ state: { data } }) => (data?.run && !data.findings && Date.now() - Date.parse(data.ended_at ?? '') < 60_000 ? 1500 : false),
  });

export const summaryQuery = (scan: string) =>
  queryOptions({ queryKey: ['get_scan_summary', scan], queryFn: () => unwrap(api.GET('/api/v1/scans/{scan}/summary', { params: { path: { scan } } })), staleTime: Infinity });

export const resultsQuery = (scan: string, query: Paged<'list_scan_results'>) =>
  infiniteQueryOptions({
    queryKey: ['list_scan_results', scan, query], initialPageParam: first, getNextPageParam: following, staleTime: Infinity,
    queryFn: ({ pageParam }) => unwrap(api.GET('/api/v1/scans/{scan}/results', { params: { path: { scan }, query: { ...query, ...at(pageParam) } } })),
  });

export const resultQuery = (scan: string, check: string) =>
  queryOptions({ queryKey: ['get_scan_result', scan, check], queryFn: () => unwrap(api.GET('/api/v1/scans/{scan}/results/{check}', { params: { path: { scan, check } } })), staleTime: Infinity });

/** How many checks of a scan were not judged, by the request that would have answered them. */
export const costsQuery = (scan: string) =>
  queryOptions({
    queryKey: ['list_scan_results', scan, 'costs'], staleTime: Infinity,
    queryFn: async () => {
      const costs: Record<string, number> = {};
      for (const verdict of ['error', 'skipped', 'unknown'] as const) {
        let cursor: string | null | undefined;
        do {
          const page = await unwrap(api.GET('/api/v1/scans/{scan}/results', { params: { path: { scan }, query: { verdict, limit: 200, ...(cursor ? { cursor } : {}) } } }));
          // Under the request itself, and under its path: a scan joins requests that differ in their query only.
          for (const { request } of page.items) for (const key of new Set([request, request.split('?')[0]!])) costs[key] = (costs[key] ?? 0) + 1;
          cursor = page.next;
        } while (cursor);
      }
      return costs;
    },
  });

const all = { params: { query: { limit: 200 } } };
export const schedulesQuery = queryOptions({ queryKey: ['list_scan_schedules'], queryFn: () => unwrap(api.GET('/api/v1/scan-schedules', all)) });
export const packsQuery = queryOptions({ queryKey: ['list_packs'], queryFn: () => unwrap(api.GET('/api/v1/scan-packs', all)) });
export const scanSettingsQuery = (directory: string) =>
  queryOptions({ queryKey: ['get_scan_settings', directory], queryFn: () => unwrap(api.GET('/api/v1/scan-settings/{directory}', { params: { path: { directory } } })) });

// Each look asks Microsoft: not repeated by itself, only by the person.
const once = { staleTime: 60_000, refetchOnWindowFocus: false, retry: false };
export const policiesQuery = (directory?: string) =>
  queryOptions({ queryKey: ['get_live_policies', directory], queryFn: () => unwrap(api.GET('/api/v1/policies', { params: { query: { directory } } })), ...once });
export const threatsQuery = (directory?: string) =>
  queryOptions({ queryKey: ['get_live_threats', directory], queryFn: () => unwrap(api.GET('/api/v1/threats', { params: { query: { directory } } })), ...once });
