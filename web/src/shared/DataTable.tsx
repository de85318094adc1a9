// The one list of the portal: a table by its roles, rows virtualised when there are many, rows that open by link, and the keys that
// walk it. Under 640 px each row becomes a small card.
import { Button, makeStyles, mergeClasses, Spinner, tokens } from '@fluentui/react-components';
import { useWindowVirtualizer } from '@tanstack/react-virtual';
import { type ReactNode, useLayoutEffect, useRef, useState } from 'react';
import { t } from '@/messages';
import { BareLink } from './location';
import { useListKeys } from './listKeys';

export interface Column<T> {
  key: string;
  name: string;
  /** A track of the grid: `minmax(0, 2fr)`, `110px`. */
  width: string;
  cell: (row: T) => ReactNode;
  align?: 'end';
  /** Left out on a narrow screen. */
  wideOnly?: boolean;
}

export interface DataTableProps<T> {
  label: string;
  rows: T[];
  columns: Column<T>[];
  rowKey: (row: T) => string;
  /** Where a row leads; its first column becomes the link, and the whole row its target. */
  href?: (row: T) => string;
  selected?: string;
  more?: { has: boolean; loading: boolean; load: () => void };
}

const VIRTUAL_FROM = 100;
const NARROW = '@media (max-width: 640px)';

const useStyles = makeStyles({
  table: { width: '100%', fontSize: tokens.fontSizeBase300 },
  row: {
    position: 'relative', display: 'grid', alignItems: 'center', columnGap: tokens.spacingHorizontalM, padding: `0 ${tokens.spacingHorizontalS}`,
    minHeight: 'var(--row-height, 36px)', borderBottom: `1px solid ${tokens.colorNeutralStroke2}`,
    [NARROW]: { display: 'flex', flexWrap: 'wrap', gap: `2px ${tokens.spacingHorizontalM}`, padding: tokens.spacingVerticalS },
  },
  head: {
    minHeight: '32px', color: tokens.colorNeutralForeground3, fontSize: tokens.fontSizeBase200, fontWeight: tokens.fontWeightSemibold, borderBottom: `1px solid ${tokens.colorNeutralStroke1}`,
    [NARROW]: { position: 'absolute', clipPath: 'inset(50%)', width: '1px', height: '1px', overflow: 'hidden', minHeight: 0, padding: 0 },
  },
  open: { ':hover': { backgroundColor: tokens.colorNeutralBackground1Hover } },
  selected: { backgroundColor: tokens.colorNeutralBackground1Selected, boxShadow: `inset 3px 0 0 ${tokens.colorCompoundBrandStroke}` },
  cell: { minWidth: 0, padding: '4px 0', overflow: 'hidden', textOverflow: 'ellipsis', [NARROW]: { padding: 0, overflow: 'visible', maxWidth: '100%' } },
  first: { [NARROW]: { flexBasis: '100%', fontWeight: tokens.fontWeightSemibold } },
  end: { textAlign: 'right', fontVariantNumeric: 'tabular-nums' },
  wideOnly: { [NARROW]: { display: 'none' } },
  link: {
    color: tokens.colorNeutralForeground1, display: 'block', overflow: 'hidden', textOverflow: 'ellipsis',
    ':hover': { color: tokens.colorBrandForegroundLinkHover, textDecorationLine: 'underline' },
    '::after': { content: '""', position: 'absolute', inset: 0 },
    ':focus-visible': { outlineStyle: 'none' },
    ':focus-visible::after': { outline: `2px solid ${tokens.colorStrokeFocus2}`, outlineOffset: '-2px', borderRadius: tokens.borderRadiusSmall },
  },
  above: { '& a, & button, & time': { position: 'relative', zIndex: 1 } },
  foot: { display: 'flex', justifyContent: 'center', padding: tokens.spacingVerticalM },
});

export function DataTable<T>({ label, rows, columns, rowKey, href, selected, more }: DataTableProps<T>) {
  const styles = useStyles();
  const body = useRef<HTMLDivElement>(null);
  const [margin, setMargin] = useState(0);
  const virtual = rows.length > VIRTUAL_FROM;
  useLayoutEffect(() => setMargin((body.current?.getBoundingClientRect().top ?? 0) + window.scrollY), [virtual]);
  const virtualizer = useWindowVirtualizer({ count: rows.length, estimateSize: () => 37, overscan: 16, scrollMargin: margin, enabled: virtual });
  const items = virtual ? virtualizer.getVirtualItems() : undefined;
  const before = items?.[0] ? items[0].start - margin : 0;
  const after = items?.length ? virtualizer.getTotalSize() - (items[items.length - 1]!.end - margin) : 0;
  useListKeys({ keys: rows.map(rowKey), list: body, reach: (index) => virtual && virtualizer.scrollToIndex(index), selected });

  const template = { gridTemplateColumns: columns.map((column) => column.width).join(' ') };
  const cellClass = (column: Column<T>, first: boolean) =>
    mergeClasses(styles.cell, first ? styles.first : styles.above, column.align === 'end' && styles.end, column.wideOnly && styles.wideOnly);

  const drawRow = (row: T, index: number, measure?: (node: Element | null) => void) => {
    const key = rowKey(row);
    return (
      <div
        key={key} role="row" ref={measure} data-index={index} data-row={key} aria-rowindex={index + 2} aria-current={selected === key || undefined}
        className={mergeClasses(styles.row, href && styles.open, selected === key && styles.selected)} style={template}
      >
        {columns.map((column, position) => (
          <div key={column.key} role="cell" className={cellClass(column, position === 0)}>
            {position === 0 && href ? (
              <BareLink href={href(row)} className={styles.link} data-row-link>
                {column.cell(row)}
              </BareLink>
            ) : (
              column.cell(row)
            )}
          </div>
        ))}
      </div>
    );
  };

  return (
    <div>
      <div role="table" aria-label={label} aria-rowcount={more?.has ? -1 : rows.length + 1} className={styles.table}>
        <div role="rowgroup">
          <div role="row" aria-rowindex={1} className={mergeClasses(styles.row, styles.head)} style={template}>
            {columns.map((column) => (
              <div key={column.key} role="columnheader" className={mergeClasses(styles.cell, column.align === 'end' && styles.end, column.wideOnly && styles.wideOnly)}>
                {column.name}
              </div>
            ))}
          </div>
        </div>
        <div role="rowgroup" ref={body} style={virtual ? { paddingTop: before, paddingBottom: after } : undefined}>
          {items ? items.map((item) => drawRow(rows[item.index]!, item.index, virtualizer.measureElement)) : rows.map((row, index) => drawRow(row, index))}
        </div>
      </div>
      {more && (more.has || more.loading) && (
        <div className={styles.foot}>
          <Button size="small" onClick={more.load} disabledFocusable={more.loading} icon={more.loading ? <Spinner size="extra-tiny" /> : undefined}>
            {more.loading ? t.app.loadingMore : t.app.loadMore}
          </Button>
        </div>
      )}
    </div>
  );
}
