// Identity risk as Microsoft sees it now: people, detections, alerts. Each source stands for itself. People at risk can be contained.
import { useQuery } from '@tanstack/react-query';
import { useState } from 'react';
import type { LiveSource, LiveThreats, RiskDetection, RiskyUser, SecurityAlert } from '@/api/schema';
import { ContainCell, ContainDialog, useContained } from '@/features/fixes/ContainDialog';
import { f } from '@/messages/fixes';
import { m } from '@/messages/microsoft365';
import { SeverityBadge } from '@/shared/Badges';
import { type Column, DataTable } from '@/shared/DataTable';
import { OutsideLink, useScope } from '@/shared/location';
import { Section } from '@/shared/Page';
import { Need, Note } from '@/shared/States';
import { Time } from '@/shared/Time';
import { LivePage } from './LivePage';
import { SourceLine } from './LiveSource';
import { threatsQuery } from './queries';
import { spaced } from './words';

const words = m.threats;

export function ThreatsPage() {
  return (
    <Need permission="live.read" page={words.title}>
      <Body />
    </Need>
  );
}

function Body() {
  const query = useQuery(threatsQuery(useScope().directory));
  return (
    <LivePage title={words.title} state={words.state} query={query} why={(live) => live.alerts.source.detail}>
      {(live) => <Shown live={live} />}
    </LivePage>
  );
}

/** Microsoft's level with our icon and colour where it is one of the four we share; its own word where it is newer than this. */
function Level({ word }: { word: string }) {
  const known = (['high', 'medium', 'low', 'none'] as const).find((each) => each === word.toLowerCase()) ?? (word.toLowerCase() === 'informational' ? 'info' : undefined);
  return known ? <SeverityBadge severity={known} /> : <>{spaced(word)}</>;
}

const text = (value: string) => <span title={value}>{value}</span>;

const userColumns: Column<RiskyUser>[] = [
  { key: 'person', name: words.person, width: 'minmax(0, 2fr)', cell: (row) => text(`${row.name} ${row.principal_name}`) },
  { key: 'level', name: words.level, width: '100px', cell: (row) => <Level word={row.level} /> },
  { key: 'state', name: words.riskState, width: 'minmax(0, 1fr)', cell: (row) => spaced(row.state) },
  { key: 'detail', name: words.detail, width: 'minmax(0, 1.6fr)', wideOnly: true, cell: (row) => text(row.detail && row.detail !== 'none' ? spaced(row.detail) : '–') },
  { key: 'changed', name: words.changed, width: '120px', align: 'end', cell: (row) => <Time at={row.changed_at} /> },
];

const detectionColumns: Column<RiskDetection>[] = [
  { key: 'kind', name: words.kind, width: 'minmax(0, 1.6fr)', cell: (row) => text(spaced(row.kind)) },
  { key: 'level', name: words.level, width: '100px', cell: (row) => <Level word={row.level} /> },
  { key: 'person', name: words.person, width: 'minmax(0, 2fr)', cell: (row) => text(`${row.user_name} ${row.principal_name}`) },
  { key: 'state', name: words.riskState, width: 'minmax(0, 1fr)', cell: (row) => spaced(row.state) },
  { key: 'from', name: words.from, width: 'minmax(0, 1.2fr)', wideOnly: true, cell: (row) => text([row.address, row.country].filter(Boolean).join(', ') || '–') },
  { key: 'when', name: words.when, width: '120px', align: 'end', cell: (row) => <Time at={row.detected_at} /> },
];

const alertColumns: Column<SecurityAlert>[] = [
  { key: 'title', name: words.alert, width: 'minmax(0, 2.4fr)', cell: (row) => text(row.title) },
  { key: 'severity', name: words.severity, width: '110px', cell: (row) => <Level word={row.severity} /> },
  { key: 'status', name: words.status, width: '120px', cell: (row) => spaced(row.status) },
  { key: 'category', name: words.category, width: 'minmax(0, 1fr)', wideOnly: true, cell: (row) => text(spaced(row.category)) },
  { key: 'source', name: words.source, width: 'minmax(0, 1fr)', wideOnly: true, cell: (row) => text(spaced(row.source)) },
  { key: 'open', name: words.openAlert, width: '140px', cell: (row) => (row.url ? <OutsideLink href={row.url}>{words.openAlert}</OutsideLink> : '–') },
  { key: 'when', name: words.when, width: '120px', align: 'end', cell: (row) => <Time at={row.created_at} /> },
];

function Shown({ live }: { live: LiveThreats }) {
  const directory = live.directory?.id;
  const contained = useContained(directory);
  const [person, setPerson] = useState<RiskyUser>();
  const users: Column<RiskyUser>[] = [
    ...userColumns.slice(0, -1),
    { key: 'contain', name: f.contain.button, width: '160px', cell: (row) => <ContainCell contained={contained.get(row.id)} person={row} onContain={() => setPerson(row)} /> },
    ...userColumns.slice(-1),
  ];
  return (
    <>
      <Source title={words.users} of={live.risky_users} none={words.none.users} columns={users} connection={live.connection} />
      <Source title={words.detections} of={live.detections} none={words.none.detections} columns={detectionColumns} connection={live.connection} />
      <Source title={words.alerts} of={live.alerts} none={words.none.alerts} columns={alertColumns} connection={live.connection} />
      {person && directory && <ContainDialog directory={directory} person={person} onClose={() => setPerson(undefined)} />}
    </>
  );
}

interface SourceProps<T> {
  title: string;
  of: { source: LiveSource; items: T[]; more: boolean };
  none: string;
  columns: Column<T>[];
  connection: string | null | undefined;
}

function Source<T extends { id: string }>({ title, of: { source, items, more }, none, columns, connection }: SourceProps<T>) {
  return (
    <Section title={title} note={source.state === 'ok' ? words.shown(items.length, more) : m.sourceStates[source.state]}>
      {source.state !== 'ok' && <SourceLine source={source} connection={connection} />}
      {source.state === 'ok' && items.length === 0 && <Note>{none}</Note>}
      {items.length > 0 && <DataTable label={title} rows={items} columns={columns} rowKey={(row) => row.id} />}
      {more && <Note>{words.more}</Note>}
    </Section>
  );
}
