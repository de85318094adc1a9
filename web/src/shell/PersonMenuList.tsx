// What the menu of the person holds: who is signed in, theme, rows, the way out.
import { type ButtonProps, makeStyles, MenuDivider, MenuGroup, MenuGroupHeader, MenuItem, MenuItemRadio, MenuList, tokens } from '@fluentui/react-components';
import { SignOut20Regular } from '@fluentui/react-icons';
import type { ReactElement } from 'react';
import { useMe } from '@/api/me';
import { currentSession, signOut } from '@/auth/session';
import { t } from '@/messages';
import { OpenMenu } from '@/shared/OpenMenu';
import { type Density, setPreferences, THEMES, type ThemeChoice, usePreferences } from './preferences';

const useStyles = makeStyles({
  who: { padding: `${tokens.spacingVerticalS} ${tokens.spacingHorizontalM}` },
  name: { fontWeight: tokens.fontWeightSemibold },
  small: { color: tokens.colorNeutralForeground3, fontSize: tokens.fontSizeBase200 },
});

export default function PersonMenuList({ trigger }: { trigger: ReactElement<ButtonProps> }) {
  const styles = useStyles();
  const me = useMe();
  const { theme, density } = usePreferences();
  const session = currentSession();
  return (
    <OpenMenu
      trigger={trigger} checkedValues={{ theme: [theme], density: [density] }}
      onCheckedValueChange={(_, data) => setPreferences(data.name === 'theme' ? { theme: data.checkedItems[0] as ThemeChoice } : { density: data.checkedItems[0] as Density })}
    >
      <div className={styles.who}>
        <div className={styles.name}>{me.principal.name}</div>
        {session.kind === 'signed_in' && <div className={styles.small}>{session.username}</div>}
        {me.role && <div className={styles.small}>{t.person.role(t.roles[me.role], me.tenant_name)}</div>}
      </div>
      <MenuList>
        <MenuDivider />
        <MenuGroup>
          <MenuGroupHeader>{t.person.theme}</MenuGroupHeader>
          {THEMES.map((each) => (
            <MenuItemRadio key={each} name="theme" value={each}>
              {t.person[each]}
            </MenuItemRadio>
          ))}
        </MenuGroup>
        <MenuDivider />
        <MenuGroup>
          <MenuGroupHeader>{t.person.density}</MenuGroupHeader>
          {(['compact', 'comfortable'] as const).map((each) => (
            <MenuItemRadio key={each} name="density" value={each}>
              {t.person[each]}
            </MenuItemRadio>
          ))}
        </MenuGroup>
        <MenuDivider />
        <MenuItem icon={<SignOut20Regular />} onClick={() => void signOut()}>
          {t.signIn.signOut}
        </MenuItem>
      </MenuList>
    </OpenMenu>
  );
}
