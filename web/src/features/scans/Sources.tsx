// What a scan read, and what it cost when something could not be read; and the packs that judged.
import { Button } from '@fluentui/react-components';
import { CheckmarkCircle16Filled, ErrorCircle16Filled } from '@fluentui/react-icons';
import { useQuery } from '@tanstack/react-query';
import { useState } from 'react';
import type { PackOutcome, ScanSource } from '@/api/schema';
import { m } from '@/messages/microsoft365';
import { Badge } from '@/shared/Badges';
import { type Column, DataTable } from '@/shared/DataTable';
import { Mono } from '@/shared/Facts';
import { number } from '@/shared/format';
import { Section } from '@/shared/Page';
import { Note } from '@/shared/States';
import { SourceBadge } from './badges';
import { costsQuery } from './queries';

const words = m.scan;

/** A scan joins requests that differ in their query only. */
const bare = (path: string) => path.split('?')[0]!;

export function Sources({ scan, sources }: { scan: string; sources: ScanSource[] }) {
  const [all, setAll] = useState(false);
  const bad = sources.filter((source) => source.state !== 'ok');
  const costs = useQuery({ ...costsQuery(scan), enabled: bad.length > 0 }).data;
  const shown = all ? [...bad, ...sources.filter((source) => source.state === 'ok')] : bad;
  const columns: Column<ScanSource>[] = [
    { key: 'path', name: words.source, width: 'minmax(0, 2.6fr)', cell: (row) => <span title={row.path}><Mono>{row.path}</Mono></span> },
    { key: 'service', name: words.service, width: '80px', cell: (row) => row.service },
    { key: 'state', name: words.sourceState, width: '180px', cell: (row) => <SourceBadge state={row.state} /> },
    { key: 'cost', name: words.cost, width: '150px', cell: (row) => (row.state === 'ok' ? '–' : costs ? words.costs(costs[row.path] ?? costs[bare(row.path)] ?? 0) : '') },
    { key: 'detail', name: words.detail, width: 'minmax(0, 2.6fr)', cell: (row) => <span title={row.detail ?? undefined}>{row.detail ?? (row.permission ? m.threats.needs(row.permission) : '–')}</span> },
  ];
  return (
    <Section title={words.sources} note={words.sourcesNote(bad.length, sources.length)} actions={<Button size="small" appearance="subtle" onClick={() => setAll(!all)}>{all ? words.badSources : words.allSources}</Button>}>
      {shown.length === 0 ? <Note>{words.allRead}</Note> : <DataTable label={words.sources} rows={shown} columns={columns} rowKey={(row) => `${row.service} ${row.path}`} />}
    </Section>
  );
}

const packColumns: Column<PackOutcome>[] = [
  { key: 'name', name: words.pack, width: 'minmax(0, 1fr)', cell: (row) => row.name },
  { key: 'version', name: words.version, width: '120px', cell: (row) => <Mono>{row.version}</Mono> },
  { key: 'checks', name: words.packChecks, width: '90px', align: 'end', cell: (row) => number(row.checks) },
  {
    key: 'problem', name: words.problem, width: 'minmax(0, 3fr)',
    cell: (row) => (row.detail ? <span title={row.detail}><Badge tone="bad" icon={ErrorCircle16Filled} word={row.detail} /></span> : <Badge tone="good" icon={CheckmarkCircle16Filled} word={words.packFine} />),
  },
];

export function Packs({ packs }: { packs: PackOutcome[] }) {
  return (
    <Section title={words.packs}>
      <DataTable label={words.packs} rows={packs} columns={packColumns} rowKey={(row) => `${row.name} ${row.version}`} />
    </Section>
  );
}
