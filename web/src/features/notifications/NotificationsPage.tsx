// Notifications: where things are told, by which rules, what was sent, how it looks, and how much of it reaches me. One tab a subject.
import { useQuery } from '@tanstack/react-query';
import { lazy, Suspense } from 'react';
import { useMay } from '@/api/me';
import type { ChannelState } from '@/api/schema';
import { n } from '@/messages/notifications';
import { NOTIFICATIONS_TABS, type NotificationsTab, paths } from '@/paths';
import { useGo, usePath } from '@/shared/location';
import { Page } from '@/shared/Page';
import { ListSkeleton } from '@/shared/States';
import { Tabs } from '@/shared/Tabs';
import { channelsQuery } from './queries';

const TABS: Record<NotificationsTab, React.ComponentType> = {
  channels: lazy(() => import('./ChannelsTab').then((module) => ({ default: module.ChannelsTab }))),
  rules: lazy(() => import('./RulesTab').then((module) => ({ default: module.RulesTab }))),
  deliveries: lazy(() => import('./DeliveriesTab').then((module) => ({ default: module.DeliveriesTab }))),
  preview: lazy(() => import('./PreviewTab').then((module) => ({ default: module.PreviewTab }))),
  me: lazy(() => import('./MeTab').then((module) => ({ default: module.MeTab }))),
};

export function NotificationsPage() {
  const go = useGo();
  const path = usePath();
  const tab = NOTIFICATIONS_TABS.find((each) => path === paths.notifications(each)) ?? 'channels';
  const Body = TABS[tab];
  const channels = useQuery({ ...channelsQuery, enabled: useMay('notifications.read') }).data?.items ?? [];
  const named = (state: ChannelState) => channels.filter((channel) => channel.state === state).map((channel) => channel.name);
  return (
    <Page title={n.title} state={channels.length === 0 ? n.state : n.standing(named('broken'), named('failing'), channels.length)}>
      <Tabs label={n.tabs} value={tab} onChange={(value) => go(paths.notifications(value))} tabs={NOTIFICATIONS_TABS.map((each) => ({ value: each, text: n.tab[each] }))} />
      <Suspense fallback={<ListSkeleton />}>
        <Body />
      </Suspense>
    </Page>
  );
}
