// The panel beside a list, for one item. Escape closes it, the arrows walk the list (see listKeys), and the address names the item.
import { Button, DrawerBody, DrawerHeader, makeStyles, mergeClasses, OverlayDrawer, tokens, Tooltip } from '@fluentui/react-components';
import { ChevronDown20Regular, ChevronUp20Regular, Dismiss20Regular } from '@fluentui/react-icons';
import { type ReactNode, useEffect, useId, useRef } from 'react';
import { t } from '@/messages';
import { useSetSearch } from './location';

const useStyles = makeStyles({
  drawer: { width: '520px', maxWidth: '100vw', boxShadow: tokens.shadow28, borderLeft: `1px solid ${tokens.colorNeutralStroke2}` },
  /** For what is read side by side. */
  wide: { width: '760px' },
  bar: { display: 'flex', justifyContent: 'space-between', alignItems: 'center', color: tokens.colorNeutralForeground3, fontSize: tokens.fontSizeBase200 },
  title: { margin: 0, fontSize: tokens.fontSizeBase500, lineHeight: tokens.lineHeightBase500, fontWeight: tokens.fontWeightSemibold, outlineStyle: 'none' },
  body: { paddingBottom: tokens.spacingVerticalXXL },
});

export interface Place {
  keys: string[];
  hasMore: boolean;
}

export function SidePanel({ item, title, place, wide, children }: { item: string; title: string; place?: Place; wide?: boolean; children: ReactNode }) {
  const styles = useStyles();
  const set = useSetSearch();
  const heading = useRef<HTMLHeadingElement>(null);
  const id = useId();
  const last = useRef(item);
  last.current = item;
  const index = place?.keys.indexOf(item) ?? -1;
  const walk = (step: number) => set({ item: place?.keys[index + step] }, 'replace');

  useEffect(() => {
    heading.current?.focus();
    return () => {
      // Back to the row it came from, once the panel is gone.
      const key = last.current;
      requestAnimationFrame(() => document.querySelector<HTMLElement>(`[data-row="${CSS.escape(key)}"] [data-row-link]`)?.focus({ preventScroll: true }));
    };
  }, []);
  useEffect(() => {
    const close = (event: KeyboardEvent) => {
      if (event.key === 'Escape' && !event.defaultPrevented) set({ item: undefined });
    };
    window.addEventListener('keydown', close);
    return () => window.removeEventListener('keydown', close);
  }, [set]);

  return (
    <OverlayDrawer open modalType="non-modal" position="end" className={mergeClasses(styles.drawer, wide && styles.wide)} aria-labelledby={id} onOpenChange={(_, data) => !data.open && set({ item: undefined })}>
      <DrawerHeader>
        <div className={styles.bar}>
          <span>{index >= 0 && place ? t.list.selected(index + 1, place.keys.length, place.hasMore) : ''}</span>
          <span>
            {place && (
              <>
                <Tooltip content={t.list.previous} relationship="label">
                  <Button appearance="subtle" icon={<ChevronUp20Regular />} disabledFocusable={index <= 0} onClick={() => walk(-1)} />
                </Tooltip>
                <Tooltip content={t.list.next} relationship="label">
                  <Button appearance="subtle" icon={<ChevronDown20Regular />} disabledFocusable={index < 0 || index >= place.keys.length - 1} onClick={() => walk(1)} />
                </Tooltip>
              </>
            )}
            <Tooltip content={t.app.close} relationship="label">
              <Button appearance="subtle" icon={<Dismiss20Regular />} onClick={() => set({ item: undefined })} />
            </Tooltip>
          </span>
        </div>
        <h2 id={id} ref={heading} tabIndex={-1} className={styles.title}>
          {title}
        </h2>
      </DrawerHeader>
      <DrawerBody className={styles.body}>{children}</DrawerBody>
    </OverlayDrawer>
  );
}
