// The choices of one of the scope's pickers.
import { type ButtonProps, makeStyles, MenuItemRadio, MenuList } from '@fluentui/react-components';
import type { ReactElement } from 'react';
import { useSetSearch } from '@/shared/location';
import { OpenMenu } from '@/shared/OpenMenu';

const useStyles = makeStyles({ list: { maxHeight: '60vh', overflowY: 'auto' } });

export interface Choices {
  param: 'directory' | 'project';
  all: string;
  items: { id: string; name: string }[];
  chosen?: string;
}

export default function ScopeMenuList({ trigger, param, all, items, chosen }: Choices & { trigger: ReactElement<ButtonProps> }) {
  const styles = useStyles();
  const set = useSetSearch();
  return (
    <OpenMenu
      trigger={trigger} checkedValues={{ [param]: [chosen ?? ''] }}
      onCheckedValueChange={(_, data) => set({ [param]: data.checkedItems[0] || undefined, item: undefined, series: undefined, from: undefined, to: undefined })}
    >
      <MenuList className={styles.list}>
        {[{ id: '', name: all }, ...items].map((item) => (
          <MenuItemRadio key={item.id} name={param} value={item.id}>
            {item.name}
          </MenuItemRadio>
        ))}
      </MenuList>
    </OpenMenu>
  );
}
