// The one list of the portal: a table by its roles, rows virtualised when there are many, rows that open by link, and the keys that
// walk it. Under 640 px each row becomes a small card.
import { Button, makeStyles, mergeClasses, Spinner, tokens } from '@fluentui/react-components';
import { Fragment, lazy, type ReactNode, Suspense, useRef } from 'react';
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
  /** The heading a row stands under. Rows of one group follow one another; a list with groups is never virtualised. */
  group?: (row: T) => string;
}

const VirtualRows = lazy(() => import('./VirtualRows'));

/** Up to here all rows are drawn: they are cheap, and the browser's own search and scrolling work on them. */
const VIRTUAL_FROM = 500;
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
  open: { ':hover': { backgroundColor: tokens.colorNeutralBackground2 } },
  selected: { backgroundColor: tokens.colorNeutralBackground3, boxShadow: `inset 3px 0 0 ${tokens.colorCompoundBrandStroke}` },
  cell: { minWidth: 0, padding: '4px 0', overflow: 'hidden', textOverflow: 'ellipsis', whiteSpace: 'nowrap', [NARROW]: { padding: 0, overflow: 'visible', maxWidth: '100%', whiteSpace: 'normal' } },
  first: { [NARROW]: { flexBasis: '100%', fontWeight: tokens.fontWeightSemibold } },
  end: {
    textAlign: 'right', fontVariantNumeric: 'tabular-nums',
    // Without its column above it, a number says what it counts.
    [NARROW]: { '::before': { content: 'attr(data-name) ": "', color: tokens.colorNeutralForeground3 } },
  },
  wideOnly: { [NARROW]: { display: 'none' } },
  link: {
    color: tokens.colorNeutralForeground1, display: 'block', overflow: 'hidden', textOverflow: 'ellipsis',
    ':hover': { color: tokens.colorBrandForegroundLinkHover, textDecorationLine: 'underline' },
    '::after': { content: '""', position: 'absolute', inset: 0 },
    ':focus-visible': { outlineStyle: 'none' },
    ':focus-visible::after': { outline: `2px solid ${tokens.colorStrokeFocus2}`, outlineOffset: '-2px', borderRadius: tokens.borderRadiusSmall },
  },
  above: { '& a, & button, & time, & [title]': { position: 'relative', zIndex: 1 } },
  group: {
    padding: `${tokens.spacingVerticalM} ${tokens.spacingHorizontalS} ${tokens.spacingVerticalXS}`, color: tokens.colorNeutralForeground2, fontSize: tokens.fontSizeBase200, fontWeight: tokens.fontWeightSemibold, borderBottom: `1px solid ${tokens.colorNeutralStroke1}`,
  },
  foot: { display: 'flex', justifyContent: 'center', padding: tokens.spacingVerticalM },
});

export function DataTable<T>({ label, rows, columns, rowKey, href, selected, more, group }: DataTableProps<T>) {
  const styles = useStyles();
  const body = useRef<HTMLDivElement>(null);
  const reach = useRef<((index: number) => void) | null>(null);
  useListKeys({ keys: rows.map(rowKey), list: body, reach: (index) => reach.current?.(index), selected });

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
          <div key={column.key} role="cell" data-name={column.name} className={cellClass(column, position === 0)}>
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

  const plain = (shown: T[]) => (
    <div role="rowgroup" ref={body}>
      {shown.map((row, index) => {
        const name = group?.(row);
        const begins = name !== undefined && (index === 0 || group?.(shown[index - 1]!) !== name);
        return !begins ? drawRow(row, index) : (
          <Fragment key={`${name} ${rowKey(row)}`}>
            <div role="row" aria-rowindex={index + 2}>
              <div role="rowheader" aria-colspan={columns.length} className={styles.group}>
                {name}
              </div>
            </div>
            {drawRow(row, index)}
          </Fragment>
        );
      })}
    </div>
  );

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
        {rows.length > VIRTUAL_FROM && !group ? (
          <Suspense fallback={plain(rows.slice(0, VIRTUAL_FROM))}>
            <VirtualRows count={rows.length} body={body} reach={reach} draw={(index, measure) => drawRow(rows[index]!, index, measure)} />
          </Suspense>
        ) : (
          plain(rows)
        )}
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
