// On the overview: the newest completed scan of each directory and kind, and the fixes that wait. Draws nothing where there is none.
import { useQuery } from '@tanstack/react-query';
import type { Scan } from '@/api/schema';
import { WaitingLine } from '@/features/fixes/WaitingLine';
import { m } from '@/messages/microsoft365';
import { paths } from '@/paths';
import { type Column, DataTable } from '@/shared/DataTable';
import { AppLink, useScope } from '@/shared/location';
import { Section } from '@/shared/Page';
import { Time } from '@/shared/Time';
import { ScoreWord } from './badges';
import { newestOfEach } from './newest';
import { latestScansQuery } from './queries';

const words = m.overview;

const columns: Column<Scan>[] = [
  { key: 'directory', name: m.scans.directory, width: 'minmax(0, 2fr)', cell: (row) => row.directory.name },
  { key: 'kind', name: m.scans.kind, width: 'minmax(0, 1fr)', cell: (row) => m.scanKinds[row.kind] },
  { key: 'score', name: m.scans.score, width: 'minmax(170px, 1fr)', cell: (row) => <ScoreWord score={row.score} /> },
  { key: 'change', name: m.scan.change, width: 'minmax(0, 1fr)', cell: (row) => (typeof row.score_change === 'number' ? m.scans.change(row.score_change) : '–') },
  { key: 'at', name: words.scanned, width: '140px', align: 'end', cell: (row) => <Time at={row.ended_at ?? row.queued_at} /> },
];

export default function ScansCard() {
  const { directory } = useScope();
  const scans = useQuery(latestScansQuery).data?.items ?? [];
  const newest = newestOfEach(scans).filter((scan) => directory === undefined || scan.directory.id === directory);
  if (newest.length === 0) return null;
  return (
    <Section title={words.title} actions={<AppLink href={paths.scans()}>{words.all}</AppLink>}>
      <DataTable label={words.title} rows={newest} columns={columns} rowKey={(row) => row.id} href={(row) => paths.scan(row.id)} />
      <WaitingLine directory={directory} />
    </Section>
  );
}
