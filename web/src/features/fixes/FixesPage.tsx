// Fixes: what was proposed, approved and sent; who is contained; what may be written at all; and the rules of each directory. One tab a
// subject, in the address.
import { lazy, Suspense } from 'react';
import { useMay } from '@/api/me';
import { f } from '@/messages/fixes';
import { FIXES_TABS, type FixesTab, paths } from '@/paths';
import { useGo, usePath, useSearch, useSetSearch } from '@/shared/location';
import { Page } from '@/shared/Page';
import { ListSkeleton, Need } from '@/shared/States';
import { Tabs } from '@/shared/Tabs';
import { ListTab } from './ListTab';
import { PlanButton, PlanDialog } from './PlanFixes';

const TABS: Record<FixesTab, React.ComponentType> = {
  list: ListTab,
  contained: lazy(() => import('./ContainedTab').then((module) => ({ default: module.ContainedTab }))),
  recipes: lazy(() => import('./RecipesTab').then((module) => ({ default: module.RecipesTab }))),
  settings: lazy(() => import('./SettingsTab').then((module) => ({ default: module.SettingsTab }))),
};

export function FixesPage() {
  const go = useGo();
  const set = useSetSearch();
  const path = usePath();
  const { start } = useSearch();
  const mayPlan = useMay('fixes.plan');
  const tab = FIXES_TABS.find((each) => path === paths.fixes(each)) ?? 'list';
  const Body = TABS[tab];
  return (
    <Need permission="fixes.read" page={f.title}>
      <Page title={f.title} state={f.state} commands={<PlanButton />}>
        <Tabs label={f.tabs} value={tab} onChange={(value) => go(paths.fixes(value))} tabs={FIXES_TABS.map((each) => ({ value: each, text: f.tab[each] }))} />
        <Suspense fallback={<ListSkeleton />}>
          <Body />
        </Suspense>
      </Page>
      {start && mayPlan && <PlanDialog onClose={() => set({ start: undefined }, 'replace')} />}
    </Need>
  );
}
