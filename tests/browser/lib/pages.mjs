// Every page of the portal, as an owner of Contoso may open it. `name` is its screenshot's; `path` may need what the API knows.
import { DIRECTORIES, fixOf, scanOf } from './microsoft.mjs';
import { runOf, world } from './world.mjs';

export async function pages() {
  const { owner } = world.tenants.contoso;
  const [one, two] = await Promise.all([runOf('contoso', 'maester-1'), runOf('contoso', 'maester-2')]);
  const { items: [finding] } = await owner.get('/api/v1/findings?search=MT.1011');
  const scan = await scanOf(DIRECTORIES.tailspin);
  const { items: [result] } = await owner.get(`/api/v1/scans/${scan.id}/results?verdict=failed&severity=high&limit=1`);
  const { items: [channel] } = await owner.get('/api/v1/channels');
  const { items: [delivery] } = await owner.get(`/api/v1/deliveries?channel=${channel.id}`);
  const fix = await fixOf(scan.directory, 'rolled_back');
  const scanned = `Compliance scan of ${scan.directory.name}`;
  return [
    { name: 'overview', path: '/', title: 'Overview' },
    { name: 'findings', path: '/findings', title: 'Findings' },
    { name: 'finding', path: `/findings?item=${finding.id}`, title: 'Findings', panel: finding.title },
    { name: 'changes', path: `/changes?from=${one.id}&to=${two.id}`, title: 'Changes' },
    { name: 'runs', path: '/runs', title: 'Runs' },
    { name: 'run', path: `/runs/${two.id}`, title: 'Run from GitHub Actions' },
    { name: 'report', path: `/runs/${two.id}/report?name=TestResults-day2.html`, title: 'Report TestResults-day2.html', frame: true },
    { name: 'reports', path: '/reports', title: 'Reports' },
    { name: 'controls', path: '/controls', title: 'Controls' },
    { name: 'directories', path: '/directories', title: 'Directories' },
    { name: 'directory', path: `/directories?item=${scan.connection}`, title: 'Directories', panel: scan.directory.name },
    { name: 'connect', path: '/connect', title: 'Connect a directory' },
    { name: 'connect-own', path: '/connect?app=own', title: 'Connect a directory' },
    { name: 'scans', path: '/scans', title: 'Scans' },
    { name: 'scan', path: `/scans/${scan.id}`, title: scanned },
    { name: 'result', path: `/scans/${scan.id}?verdict=failed&item=${result.check}`, title: scanned, panel: result.title },
    { name: 'schedules', path: '/scans/schedules', title: 'Scans' },
    { name: 'scan-settings', path: `/scans/settings?of=${scan.directory.id}`, title: 'Scans' },
    { name: 'packs', path: '/scans/packs', title: 'Scans' },
    { name: 'policies', path: `/policies?directory=${scan.directory.id}`, title: 'Policies' },
    { name: 'threats', path: `/threats?directory=${scan.directory.id}`, title: 'Threats' },
    { name: 'fixes', path: '/fixes', title: 'Fixes' },
    { name: 'fix', path: `/fixes?item=${fix.id}`, title: 'Fixes', panel: fix.recipe.title },
    { name: 'fix-plan', path: `/fixes?plan=${fix.plan}`, title: 'Fixes' },
    { name: 'contained', path: '/fixes/contained', title: 'Fixes' },
    { name: 'fix-recipes', path: `/fixes/recipes?directory=${scan.directory.id}`, title: 'Fixes' },
    { name: 'fix-settings', path: `/fixes/settings?of=${scan.directory.id}`, title: 'Fixes' },
    { name: 'checks', path: '/checks', title: 'Checks' },
    { name: 'check', path: `/checks?search=${result.check}&item=${result.check}`, title: 'Checks', panel: result.title },
    { name: 'notifications', path: '/notifications', title: 'Notifications' },
    { name: 'channel', path: `/notifications?item=${channel.id}`, title: 'Notifications', panel: channel.name },
    { name: 'notification-rules', path: '/notifications/rules', title: 'Notifications' },
    { name: 'deliveries', path: '/notifications/deliveries', title: 'Notifications' },
    { name: 'delivery', path: `/notifications/deliveries?item=${delivery.id}`, title: 'Notifications', panel: delivery.subject },
    { name: 'preview-mail', path: '/notifications/preview', title: 'Notifications', frame: true },
    { name: 'preview-teams', path: '/notifications/preview?kind=teams', title: 'Notifications' },
    { name: 'preview-webhook', path: '/notifications/preview?kind=webhook', title: 'Notifications' },
    { name: 'my-notifications', path: '/notifications/me', title: 'Notifications' },
    { name: 'trail', path: '/trail', title: 'Trail' },
    { name: 'settings', path: '/settings', title: 'Settings' },
    { name: 'members', path: '/settings/members', title: 'Settings' },
    { name: 'projects', path: '/settings/projects', title: 'Settings' },
    { name: 'keys', path: '/settings/keys', title: 'Settings' },
    { name: 'submit', path: '/settings/submit', title: 'Settings' },
    { name: 'nowhere', path: '/no-such-page', title: 'Nothing here that you may see' },
  ];
}
