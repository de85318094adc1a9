// Which address shows which page. Pages are loaded when first visited.
import { createRootRoute, createRoute, createRouter, lazyRouteComponent } from '@tanstack/react-router';
import { FIXES_TABS, NOTIFICATIONS_TABS, parseSearch, paths, SCANS_TABS, stringifySearch } from '@/paths';
import { ListSkeleton } from '@/shared/States';
import { Crashed, Missing } from './Fallbacks';
import { Shell } from './Shell';

const root = createRootRoute({ component: Shell, notFoundComponent: Missing, validateSearch: (search: Record<string, unknown>) => search });

const route = (path: string, component: ReturnType<typeof lazyRouteComponent>) => createRoute({ getParentRoute: () => root, path, component });

const tree = root.addChildren([
  route('/', lazyRouteComponent(() => import('@/features/overview/OverviewPage'), 'OverviewPage')),
  route('/findings', lazyRouteComponent(() => import('@/features/findings/FindingsPage'), 'FindingsPage')),
  route('/changes', lazyRouteComponent(() => import('@/features/findings/ChangesPage'), 'ChangesPage')),
  route('/controls', lazyRouteComponent(() => import('@/features/findings/ControlsPage'), 'ControlsPage')),
  route('/runs', lazyRouteComponent(() => import('@/features/evidence/RunsPage'), 'RunsPage')),
  route('/runs/$run', lazyRouteComponent(() => import('@/features/evidence/RunPage'), 'RunPage')),
  route('/runs/$run/report', lazyRouteComponent(() => import('@/features/evidence/ReportPage'), 'ReportPage')),
  route('/reports', lazyRouteComponent(() => import('@/features/evidence/ReportsPage'), 'ReportsPage')),
  route('/directories', lazyRouteComponent(() => import('@/features/connections/DirectoriesPage'), 'DirectoriesPage')),
  route('/connect', lazyRouteComponent(() => import('@/features/connections/ConnectPage'), 'ConnectPage')),
  route('/connect/consent', lazyRouteComponent(() => import('@/features/connections/ConsentPage'), 'ConsentPage')),
  route('/scans', lazyRouteComponent(() => import('@/features/scans/ScansPage'), 'ScansPage')),
  ...SCANS_TABS.slice(1).map((tab) => route(`/scans/${tab}`, lazyRouteComponent(() => import('@/features/scans/ScansPage'), 'ScansPage'))),
  route('/scans/$scan', lazyRouteComponent(() => import('@/features/scans/ScanPage'), 'ScanPage')),
  route('/policies', lazyRouteComponent(() => import('@/features/scans/PoliciesPage'), 'PoliciesPage')),
  route('/threats', lazyRouteComponent(() => import('@/features/scans/ThreatsPage'), 'ThreatsPage')),
  ...FIXES_TABS.map((tab) => route(paths.fixes(tab), lazyRouteComponent(() => import('@/features/fixes/FixesPage'), 'FixesPage'))),
  route('/checks', lazyRouteComponent(() => import('@/features/catalogue/ChecksPage'), 'ChecksPage')),
  ...NOTIFICATIONS_TABS.map((tab) => route(paths.notifications(tab), lazyRouteComponent(() => import('@/features/notifications/NotificationsPage'), 'NotificationsPage'))),
  route('/trail', lazyRouteComponent(() => import('@/features/audit/TrailPage'), 'TrailPage')),
  route('/settings', lazyRouteComponent(() => import('@/features/tenancy/SettingsPage'), 'SettingsPage')),
  route('/settings/$tab', lazyRouteComponent(() => import('@/features/tenancy/SettingsPage'), 'SettingsPage')),
]);

export const router = createRouter({
  routeTree: tree,
  parseSearch,
  stringifySearch,
  // Opening an item changes the address too and must not move the list: the shell scrolls, and only for a new page.
  scrollRestoration: false,
  defaultPendingComponent: () => <ListSkeleton />,
  defaultErrorComponent: Crashed,
  defaultNotFoundComponent: Missing,
});
