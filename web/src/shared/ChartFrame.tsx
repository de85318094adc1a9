// The frame around a chart: its title, and the table behind it one button away.
import { makeStyles, Skeleton, SkeletonItem, Table, TableBody, TableCell, TableHeader, TableHeaderCell, TableRow, ToggleButton, tokens } from '@fluentui/react-components';
import { DataBarVertical16Regular, Table16Regular } from '@fluentui/react-icons';
import { type ReactNode, Suspense, useState } from 'react';
import { t } from '@/messages';
import { Section } from './Page';

const useStyles = makeStyles({
  table: { overflowX: 'auto', maxHeight: '320px', overflowY: 'auto' },
  number: { fontVariantNumeric: 'tabular-nums' },
  note: { color: tokens.colorNeutralForeground3 },
});

export interface Figures {
  columns: string[];
  rows: { key: string; cells: ReactNode[] }[];
}

export function ChartFrame({ title, note, figures, height, empty, children }: { title: string; note?: string; figures: Figures; height: number; empty?: string; children: ReactNode }) {
  const styles = useStyles();
  const [asTable, setAsTable] = useState(false);
  const toggle = empty ? undefined : (
    <ToggleButton size="small" appearance="subtle" checked={asTable} onClick={() => setAsTable(!asTable)} icon={asTable ? <DataBarVertical16Regular /> : <Table16Regular />} aria-label={`${title}: ${t.app.showTable}`}>
      {asTable ? t.app.showChart : t.app.showTable}
    </ToggleButton>
  );
  return (
    <Section title={title} note={note} actions={toggle}>
      {empty ? (
        <div className={styles.note}>{empty}</div>
      ) : asTable ? (
        <div className={styles.table} tabIndex={0} role="group" aria-label={title}>
          <Table size="extra-small" aria-label={title}>
            <TableHeader>
              <TableRow>
                {figures.columns.map((column) => (
                  <TableHeaderCell key={column}>{column}</TableHeaderCell>
                ))}
              </TableRow>
            </TableHeader>
            <TableBody>
              {figures.rows.map((row) => (
                <TableRow key={row.key}>
                  {row.cells.map((cell, i) => (
                    <TableCell key={i} className={styles.number}>
                      {cell}
                    </TableCell>
                  ))}
                </TableRow>
              ))}
            </TableBody>
          </Table>
        </div>
      ) : (
        <Suspense
          fallback={
            <Skeleton aria-label={t.app.loading}>
              <SkeletonItem style={{ height }} />
            </Skeleton>
          }
        >
          {children}
        </Suspense>
      )}
    </Section>
  );
}
