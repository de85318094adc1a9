// Ctrl+K: jump to any page, finding or run.
import { Dialog, DialogBody, DialogSurface, Input, makeStyles, mergeClasses, tokens } from '@fluentui/react-components';
import { Search20Regular } from '@fluentui/react-icons';
import { keepPreviousData, useInfiniteQuery } from '@tanstack/react-query';
import { type KeyboardEvent, useDeferredValue, useId, useState } from 'react';
import { useMay, useMe } from '@/api/me';
import { findingsQuery, runsQuery } from '@/api/queries';
import { t } from '@/messages';
import { n } from '@/messages/notifications';
import { NOTIFICATIONS_TABS, paths, SETTINGS_TABS } from '@/paths';
import { useGo } from '@/shared/location';
import { relativeTime } from '@/shared/format';
import { useNow } from '@/shared/Time';
import { SECTIONS } from './Shell';

const useStyles = makeStyles({
  surface: { width: 'min(640px, calc(100vw - 32px))', maxWidth: 'none', padding: tokens.spacingHorizontalM, marginTop: '10vh' },
  body: { display: 'flex', flexDirection: 'column', gap: tokens.spacingVerticalS },
  list: { maxHeight: '50vh', overflowY: 'auto' },
  group: { padding: `${tokens.spacingVerticalS} ${tokens.spacingHorizontalS} ${tokens.spacingVerticalXXS}`, color: tokens.colorNeutralForeground3, fontSize: tokens.fontSizeBase200, fontWeight: tokens.fontWeightSemibold },
  option: { display: 'flex', justifyContent: 'space-between', gap: tokens.spacingHorizontalM, padding: `6px ${tokens.spacingHorizontalS}`, borderRadius: tokens.borderRadiusMedium, cursor: 'pointer' },
  active: { backgroundColor: tokens.colorBrandBackground2, color: tokens.colorBrandForeground2, outline: `1px solid ${tokens.colorBrandStroke1}` },
  note: { color: tokens.colorNeutralForeground3, whiteSpace: 'nowrap' },
  text: { overflow: 'hidden', textOverflow: 'ellipsis', whiteSpace: 'nowrap' },
  status: { color: tokens.colorNeutralForeground3, padding: tokens.spacingHorizontalS },
});

interface Option {
  group: string;
  text: string;
  note?: string;
  href: string;
}

export default function CommandPalette({ onClose }: { onClose: () => void }) {
  const styles = useStyles();
  const go = useGo();
  const id = useId();
  const [text, setText] = useState('');
  const [active, setActive] = useState(0);
  const { options, searching } = useOptions(text);
  const at = Math.min(active, options.length - 1);
  const pick = (option: Option | undefined) => {
    if (!option) return;
    onClose();
    go(option.href);
  };
  const onKey = (event: KeyboardEvent) => {
    const step = event.key === 'ArrowDown' ? 1 : event.key === 'ArrowUp' ? -1 : 0;
    if (step !== 0) {
      event.preventDefault();
      const next = (at + step + options.length) % Math.max(1, options.length);
      setActive(next);
      document.getElementById(`${id}-${next}`)?.scrollIntoView({ block: 'nearest' });
    } else if (event.key === 'Enter') {
      event.preventDefault();
      pick(options[at]);
    }
  };
  return (
    <Dialog open onOpenChange={(_, data) => !data.open && onClose()}>
      <DialogSurface className={styles.surface} aria-label={t.palette.title}>
        <DialogBody className={styles.body}>
          <Input
            autoFocus size="large" appearance="filled-lighter" contentBefore={<Search20Regular />} placeholder={t.palette.placeholder} value={text} onKeyDown={onKey}
            onChange={(_, data) => { setText(data.value); setActive(0); }}
            input={{ role: 'combobox', 'aria-label': t.palette.title, 'aria-expanded': options.length > 0, 'aria-controls': `${id}-list`, 'aria-activedescendant': options[at] ? `${id}-${at}` : undefined, 'aria-autocomplete': 'list' }}
          />
          <div id={`${id}-list`} role="listbox" aria-label={t.palette.title} className={styles.list}>
            {options.map((option, index) => (
              <div key={`${option.group} ${option.href}`} role="presentation">
                {option.group !== options[index - 1]?.group && (
                  <div className={styles.group} role="presentation">
                    {option.group}
                  </div>
                )}
                <div
                  id={`${id}-${index}`} role="option" aria-selected={index === at} className={mergeClasses(styles.option, index === at && styles.active)}
                  onMouseMove={() => setActive(index)} onClick={() => pick(option)}
                >
                  <span className={styles.text}>{option.text}</span>
                  {option.note && <span className={styles.note}>{option.note}</span>}
                </div>
              </div>
            ))}
          </div>
          <div role="status" className={styles.status}>
            {searching ? t.palette.searching : options.length === 0 ? t.palette.nothing : t.palette.results(options.length)}
          </div>
        </DialogBody>
      </DialogSurface>
    </Dialog>
  );
}

function useOptions(text: string): { options: Option[]; searching: boolean } {
  const { permissions } = useMe();
  const now = useNow();
  const words = useDeferredValue(text.trim());
  const mayFind = useMay('findings.read');
  const findings = useInfiniteQuery({ ...findingsQuery({ search: words }), enabled: mayFind && words.length >= 2, placeholderData: keepPreviousData });
  const runs = useInfiniteQuery({ ...runsQuery({}), enabled: useMay('runs.read') && words.length >= 2 });
  const matches = (name: string) => name.toLowerCase().includes(words.toLowerCase());

  const pages: Option[] = SECTIONS.flatMap((section) => (section === 'rule' || 'group' in section || (section.permission && !permissions.includes(section.permission)) ? [] : [{ group: t.palette.pages, text: section.name, href: section.href }]));
  for (const tab of SETTINGS_TABS.slice(1)) pages.push({ group: t.palette.pages, text: `${t.nav.settings}: ${t.settings.tab[tab]}`, href: paths.settings(tab) });
  if (permissions.includes('notifications.read')) for (const tab of NOTIFICATIONS_TABS.slice(1)) pages.push({ group: t.palette.pages, text: `${t.nav.notifications}: ${n.tab[tab]}`, href: paths.notifications(tab) });
  const found: Option[] = words.length < 2 ? [] : [
    ...(findings.data?.pages[0]?.items ?? []).slice(0, 8).map((finding) => ({
      group: t.palette.findings, text: `${finding.check_key} ${finding.title}`, note: t.severities[finding.severity], href: paths.findings({ search: words, item: finding.id }),
    })),
    ...(runs.data?.pages[0]?.items ?? []).filter((run) => matches(run.source) || matches(run.pipeline_run_id ?? '') || matches(run.tool ?? '')).slice(0, 5).map((run) => ({
      group: t.palette.runs, text: t.run.title(run.source), note: relativeTime(run.opened_at, now), href: paths.run(run.id),
    })),
  ];
  return { options: [...pages.filter((page) => matches(page.text)), ...found], searching: words.length >= 2 && (findings.isFetching || words !== text.trim()) };
}
