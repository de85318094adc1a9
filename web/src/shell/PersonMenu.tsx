// Who is here, how they like it, and the way out.
import { Button } from '@fluentui/react-components';
import { PersonCircle24Regular } from '@fluentui/react-icons';
import { useMe } from '@/api/me';
import { t } from '@/messages';
import { lateMenu } from '@/shared/LateMenu';

const Menu = lateMenu<object>(() => import('./PersonMenuList'));

export function PersonMenu() {
  const me = useMe();
  return <Menu trigger={<Button appearance="subtle" shape="circular" aria-label={t.person.menu(me.principal.name)} icon={<PersonCircle24Regular />} />} />;
}
