// What the pages about connections ask the API.
import { queryOptions } from '@tanstack/react-query';
import { api, unwrap } from '@/api/client';
import type { ConnectionKind } from '@/api/schema';

/** A tenant has few connections: one page of 200 is all of them in practice. */
export const connectionsQuery = (query: { kind?: ConnectionKind; directory?: string; all?: boolean } = {}) =>
  queryOptions({ queryKey: ['list_connections', query], queryFn: () => unwrap(api.GET('/api/v1/connections', { params: { query: { ...query, limit: 200 } } })) });

export const connectionQuery = (connection: string) =>
  queryOptions({ queryKey: ['get_connection', connection], queryFn: () => unwrap(api.GET('/api/v1/connections/{connection}', { params: { path: { connection } } })) });

export const optionsQuery = queryOptions({ queryKey: ['get_connection_options'], queryFn: () => unwrap(api.GET('/api/v1/connection-options')), staleTime: 300_000 });
