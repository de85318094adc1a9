// Filters as pills. Each is one parameter of the address; the pill shows what is chosen and, where known, how many each choice holds.
import {
  Button, makeStyles, Menu, MenuItemRadio, MenuList, MenuPopover, MenuTrigger, mergeClasses, SearchBox, tokens,
} from '@fluentui/react-components';
import { ChevronDown16Regular, Dismiss16Regular } from '@fluentui/react-icons';
import { type ReactNode, useEffect, useState } from 'react';
import { t } from '@/messages';
import { number } from './format';
import { useSearch, useSetSearch } from './location';

const useStyles = makeStyles({
  row: { display: 'flex', flexWrap: 'wrap', gap: tokens.spacingHorizontalS, alignItems: 'center' },
  search: { flex: '0 1 300px', minWidth: '200px' },
  pill: { borderRadius: tokens.borderRadiusCircular, fontWeight: tokens.fontWeightRegular, minWidth: 0 },
  chosen: { backgroundColor: tokens.colorBrandBackground2, color: tokens.colorBrandForeground2, border: `1px solid ${tokens.colorBrandStroke2}` },
  list: { maxHeight: '60vh', overflowY: 'auto' },
});

export function FilterRow({ children, keys }: { children: ReactNode; keys: string[] }) {
  const styles = useStyles();
  const search = useSearch();
  const set = useSetSearch();
  const active = keys.some((key) => search[key]);
  return (
    <div className={styles.row} role="group" aria-label={t.filter.label}>
      {children}
      {active && (
        <Button size="small" appearance="subtle" icon={<Dismiss16Regular />} onClick={() => set(Object.fromEntries(keys.map((key) => [key, undefined])))}>
          {t.filter.clear}
        </Button>
      )}
    </div>
  );
}

export interface Choice {
  value: string;
  label: string;
  count?: number;
}

/** `fallback` is what an absent parameter means; without it, absent means any. */
export function FilterPill({ param, name, choices, fallback }: { param: string; name: string; choices: Choice[]; fallback?: string }) {
  const styles = useStyles();
  const value = useSearch()[param];
  const set = useSetSearch();
  const shown = choices.find((choice) => choice.value === (value ?? fallback));
  const label = shown?.label ?? value;
  const all: Choice[] = fallback === undefined ? [{ value: '', label: t.app.any }, ...choices] : choices;
  return (
    <Menu
      checkedValues={{ [param]: [value ?? fallback ?? ''] }}
      onCheckedValueChange={(_, data) => {
        const next = data.checkedItems[0];
        set({ [param]: next === fallback || next === '' ? undefined : next, item: undefined });
      }}
    >
      <MenuTrigger disableButtonEnhancement>
        <Button size="small" iconPosition="after" icon={<ChevronDown16Regular />} className={mergeClasses(styles.pill, value !== undefined && styles.chosen)}>
          {label === undefined ? name : t.filter.is(name, label)}
        </Button>
      </MenuTrigger>
      <MenuPopover>
        <MenuList className={styles.list}>
          {all.map((choice) => (
            <MenuItemRadio key={choice.value} name={param} value={choice.value} secondaryContent={choice.count === undefined ? undefined : number(choice.count)}>
              {choice.label}
            </MenuItemRadio>
          ))}
        </MenuList>
      </MenuPopover>
    </Menu>
  );
}

/** Words to look for; the address follows a moment after the last key. */
export function FilterSearch({ param = 'search', label }: { param?: string; label: string }) {
  const styles = useStyles();
  const value = useSearch()[param] ?? '';
  const set = useSetSearch();
  const [text, setText] = useState(value);
  const [seen, setSeen] = useState(value);
  if (value !== seen) {
    // The address changed by itself (back, clear): follow it.
    setSeen(value);
    setText(value);
  }
  useEffect(() => {
    if (text.trim() === value) return;
    const timer = setTimeout(() => set({ [param]: text.trim() || undefined, item: undefined }, 'replace'), 250);
    return () => clearTimeout(timer);
  }, [text, value, param, set]);
  return <SearchBox size="small" className={styles.search} aria-label={label} placeholder={label} value={text} maxLength={200} onChange={(_, data) => setText(data.value)} />;
}
