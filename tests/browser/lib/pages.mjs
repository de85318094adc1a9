// Every page of the portal, as an owner of Contoso may open it. `name` is its screenshot's; `path` may need what the API knows.
import { runOf, world } from './world.mjs';

export async function pages() {
  const { owner } = world.tenants.contoso;
  const [one, two] = await Promise.all([runOf('contoso', 'maester-1'), runOf('contoso', 'maester-2')]);
  const { items: [finding] } = await owner.get('/api/v1/findings?search=MT.1011');
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
    { name: 'trail', path: '/trail', title: 'Trail' },
    { name: 'settings', path: '/settings', title: 'Settings' },
    { name: 'members', path: '/settings/members', title: 'Settings' },
    { name: 'projects', path: '/settings/projects', title: 'Settings' },
    { name: 'keys', path: '/settings/keys', title: 'Settings' },
    { name: 'submit', path: '/settings/submit', title: 'Settings' },
    { name: 'nowhere', path: '/no-such-page', title: 'Nothing here that you may see' },
  ];
}
