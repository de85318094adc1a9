// Scans: what was scanned, what begins by itself, what scans are told, and the tenant's own checks. One tab a subject, in the address.
import { lazy, Suspense } from 'react';
import { useMay } from '@/api/me';
import { m } from '@/messages/microsoft365';
import { paths, SCANS_TABS, type ScansTab } from '@/paths';
import { useGo, usePath, useSearch, useSetSearch } from '@/shared/location';
import { Page } from '@/shared/Page';
import { ListSkeleton, Need } from '@/shared/States';
import { Tabs } from '@/shared/Tabs';
import { HistoryTab } from './HistoryTab';
import { StartButton, StartDialog } from './StartScan';

const TABS: Record<ScansTab, React.ComponentType> = {
  history: HistoryTab,
  schedules: lazy(() => import('./SchedulesTab').then((module) => ({ default: module.SchedulesTab }))),
  settings: lazy(() => import('./SettingsTab').then((module) => ({ default: module.SettingsTab }))),
  packs: lazy(() => import('./PacksTab').then((module) => ({ default: module.PacksTab }))),
};

export function ScansPage() {
  const go = useGo();
  const set = useSetSearch();
  const { start } = useSearch();
  const mayStart = useMay('scans.run');
  const path = usePath();
  const tab = SCANS_TABS.find((each) => path === paths.scans(each)) ?? 'history';
  const Body = TABS[tab];
  return (
    <Need permission="scans.read" page={m.scans.title}>
      <Page title={m.scans.title} state={m.scans.state} commands={<StartButton />}>
        <Tabs label={m.scans.tabs} value={tab} onChange={(value) => go(paths.scans(value))} tabs={SCANS_TABS.map((each) => ({ value: each, text: m.scans.tab[each] }))} />
        <Suspense fallback={<ListSkeleton />}>
          <Body />
        </Suspense>
      </Page>
      {start && mayStart && <StartDialog connection={start === 'yes' ? undefined : start} onClose={() => set({ start: undefined }, 'replace')} />}
    </Need>
  );
}
