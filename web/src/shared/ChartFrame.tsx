// The frame around a chart: its title, and the table behind it one button away.
import { Button, makeStyles, Skeleton, SkeletonItem, tokens } from '@fluentui/react-components';
import { DataBarVertical16Regular, Table16Regular } from '@fluentui/react-icons';
import { lazy, type ReactNode, Suspense, useState } from 'react';
import { t } from '@/messages';
import { Section } from './Page';

const FigureTable = lazy(() => import('./FigureTable'));

const useStyles = makeStyles({
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
    <Button size="small" appearance="subtle" onClick={() => setAsTable(!asTable)} icon={asTable ? <DataBarVertical16Regular /> : <Table16Regular />} aria-label={`${title}: ${asTable ? t.app.showChart : t.app.showTable}`}>
      {asTable ? t.app.showChart : t.app.showTable}
    </Button>
  );
  return (
    <Section title={title} note={note} actions={toggle}>
      {empty ? (
        <div className={styles.note}>{empty}</div>
      ) : asTable ? (
        <Suspense fallback={<Waiting height={height} />}>
          <FigureTable label={title} figures={figures} />
        </Suspense>
      ) : (
        <Suspense fallback={<Waiting height={height} />}>{children}</Suspense>
      )}
    </Section>
  );
}

function Waiting({ height }: { height: number }) {
  return (
    <Skeleton aria-label={t.app.loading}>
      <SkeletonItem style={{ height }} />
    </Skeleton>
  );
}
