// What the pages about notifications ask the API.
import { infiniteQueryOptions, keepPreviousData, queryOptions } from '@tanstack/react-query';
import { api, unwrap } from '@/api/client';
import type { ChannelKind, DeliveryState, EventKind, operations } from '@/api/schema';

type Query<Op extends keyof operations> = NonNullable<operations[Op]['parameters']['query']>;
type Paged<Op extends keyof operations> = Omit<Query<Op>, 'cursor' | 'limit'>;

// A tenant has few channels and rules: one page of 200 is all of them in practice.
const all = { params: { query: { limit: 200 } } };
export const channelsQuery = queryOptions({ queryKey: ['list_channels'], queryFn: () => unwrap(api.GET('/api/v1/channels', all)) });
export const channelQuery = (channel: string) => queryOptions({ queryKey: ['get_channel', channel], queryFn: () => unwrap(api.GET('/api/v1/channels/{channel}', { params: { path: { channel } } })) });
export const optionsQuery = queryOptions({ queryKey: ['get_notification_options'], queryFn: () => unwrap(api.GET('/api/v1/notification-options')), staleTime: 300_000 });
export const rulesQuery = queryOptions({ queryKey: ['list_notification_rules'], queryFn: () => unwrap(api.GET('/api/v1/notification-rules', all)) });

const first = null as string | null;
const following = (page: { next?: string | null }) => page.next ?? undefined;
const PENDING: DeliveryState[] = ['waiting', 'retrying'];

export const deliveriesQuery = (query: Paged<'list_deliveries'>) =>
  infiniteQueryOptions({
    queryKey: ['list_deliveries', query], initialPageParam: first, getNextPageParam: following,
    queryFn: ({ pageParam }) => unwrap(api.GET('/api/v1/deliveries', { params: { query: { ...query, limit: 100, ...(pageParam ? { cursor: pageParam } : {}) } } })),
    // Follows along while something is on its way.
    refetchInterval: ({ state }) => (state.data?.pages[0]?.items.some((delivery) => PENDING.includes(delivery.state)) ? 5000 : false),
  });

export const deliveryQuery = (delivery: string) =>
  queryOptions({
    queryKey: ['get_delivery', delivery], queryFn: () => unwrap(api.GET('/api/v1/deliveries/{delivery}', { params: { path: { delivery } } })),
    refetchInterval: ({ state }) => (state.data && PENDING.includes(state.data.state) ? 5000 : false),
  });

export const previewQuery = (event: EventKind, channel: ChannelKind) =>
  queryOptions({
    queryKey: ['preview_notification', event, channel], queryFn: () => unwrap(api.GET('/api/v1/notification-preview', { params: { query: { event, channel } } })), placeholderData: keepPreviousData,
  });

export const preferenceQuery = queryOptions({ queryKey: ['get_my_notifications'], queryFn: () => unwrap(api.GET('/api/v1/me/notifications')) });
