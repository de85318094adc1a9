// Settings of the tenant, one tab a subject; the tab is in the address.
import { useParams } from '@tanstack/react-router';
import { useMe } from '@/api/me';
import { KeysTab } from '@/features/identity/KeysTab';
import { MembersTab } from '@/features/identity/MembersTab';
import { t } from '@/messages';
import { paths, SETTINGS_TABS, type SettingsTab } from '@/paths';
import { useGo } from '@/shared/location';
import { Page } from '@/shared/Page';
import { Tabs } from '@/shared/Tabs';
import { GeneralTab } from './GeneralTab';
import { ProjectsTab } from './ProjectsTab';
import { SubmitTab } from './SubmitTab';

const TABS: Record<SettingsTab, () => React.ReactNode> = { general: GeneralTab, members: MembersTab, projects: ProjectsTab, keys: KeysTab, submit: SubmitTab };

export function SettingsPage() {
  const me = useMe();
  const go = useGo();
  const params = useParams({ strict: false }) as { tab?: string };
  const tab = SETTINGS_TABS.find((each) => each === params.tab) ?? 'general';
  const Body = TABS[tab];
  return (
    <Page title={t.settings.title} state={t.settings.state(me.tenant_name)}>
      <Tabs label={t.settings.tabs} value={tab} onChange={(value) => go(paths.settings(value))} tabs={SETTINGS_TABS.map((each) => ({ value: each, text: t.settings.tab[each] }))} />
      <Body />
    </Page>
  );
}
