// Settings of the tenant, one tab a subject; the tab is in the address.
import { Tab, TabList } from '@fluentui/react-components';
import { useParams } from '@tanstack/react-router';
import { useMe } from '@/api/me';
import { KeysTab } from '@/features/identity/KeysTab';
import { MembersTab } from '@/features/identity/MembersTab';
import { t } from '@/messages';
import { paths, SETTINGS_TABS, type SettingsTab } from '@/paths';
import { useGo } from '@/shared/location';
import { Page } from '@/shared/Page';
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
      <TabList aria-label={t.settings.tabs} selectedValue={tab} onTabSelect={(_, data) => go(paths.settings(data.value as SettingsTab))} style={{ overflowX: 'auto' }}>
        {SETTINGS_TABS.map((each) => (
          <Tab key={each} value={each}>
            {t.settings.tab[each]}
          </Tab>
        ))}
      </TabList>
      <Body />
    </Page>
  );
}
