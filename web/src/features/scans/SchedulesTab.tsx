// Scans that begin by themselves.
import { makeStyles, tokens } from '@fluentui/react-components';
import { CalendarAdd20Regular, CheckmarkCircle16Filled, Delete16Regular, Edit16Regular, SubtractCircle16Regular } from '@fluentui/react-icons';
import { useQuery } from '@tanstack/react-query';
import { useState } from 'react';
import { api, unwrap } from '@/api/client';
import { useWhyNot } from '@/api/me';
import type { ScanSchedule } from '@/api/schema';
import { m } from '@/messages/microsoft365';
import { paths } from '@/paths';
import { Action } from '@/shared/Action';
import { Badge } from '@/shared/Badges';
import { Confirm } from '@/shared/Confirm';
import type { Column } from '@/shared/DataTable';
import { Mono } from '@/shared/Facts';
import { AppLink } from '@/shared/location';
import { SimpleList } from '@/shared/SimpleList';
import { Time } from '@/shared/Time';
import { useChange } from '@/shared/useChange';
import { rhythmOf } from './cron';
import { schedulesQuery } from './queries';
import { ScheduleDialog } from './ScheduleDialog';
import { useReaders } from './StartScan';

const words = m.schedules;
const useStyles = makeStyles({ actions: { display: 'flex', gap: tokens.spacingHorizontalXS } });

const pad = (n: number) => String(n).padStart(2, '0');

/** `Monday 02:30`, or the cron itself. */
function When({ cron, zone }: { cron: string; zone: string }) {
  const rhythm = rhythmOf(cron);
  if (!rhythm) return <Mono>{`${cron} ${zone}`}</Mono>;
  const time = `${pad(rhythm.hour)}:${pad(rhythm.minute)}`;
  const text = rhythm.every === 'day' ? words.everyDay(time) : rhythm.every === 'week' ? words.onDay(m.weekdays[rhythm.weekday]!, time) : words.everyMonth(rhythm.day, time);
  return <span title={`${text}, ${zone}`}>{`${text}, ${zone}`}</span>;
}

export function SchedulesTab() {
  const styles = useStyles();
  const whyNot = useWhyNot('scans.manage');
  const query = useQuery(schedulesQuery);
  const none = useReaders().length === 0;
  const [editing, setEditing] = useState<ScanSchedule | 'new'>();
  const [removing, setRemoving] = useState<ScanSchedule>();
  const columns: Column<ScanSchedule>[] = [
    { key: 'name', name: words.name, width: 'minmax(0, 1.2fr)', cell: (row) => row.name },
    { key: 'directory', name: words.directory, width: 'minmax(0, 1.2fr)', cell: (row) => `${row.directory.name}, ${m.scanKinds[row.kind].toLowerCase()}` },
    { key: 'when', name: words.when, width: 'minmax(0, 1.8fr)', cell: (row) => <When cron={row.cron} zone={row.zone} /> },
    { key: 'state', name: words.state, width: '70px', cell: (row) => (row.enabled ? <Badge tone="good" icon={CheckmarkCircle16Filled} word={words.enabled} /> : <Badge tone="calm" icon={SubtractCircle16Regular} word={words.disabled} />) },
    { key: 'next', name: words.nextAt, width: '110px', align: 'end', cell: (row) => <Time at={row.next_at} /> },
    { key: 'last', name: words.last, width: '120px', align: 'end', cell: (row) => <Last schedule={row} /> },
    {
      key: 'actions', name: words.actions, width: '190px',
      cell: (row) => (
        <span className={styles.actions}>
          <Action size="small" appearance="subtle" icon={<Edit16Regular />} whyNot={whyNot} aria-label={words.changeNamed(row.name)} onClick={() => setEditing(row)}>
            {words.change}
          </Action>
          <Action size="small" appearance="subtle" icon={<Delete16Regular />} whyNot={whyNot} aria-label={words.removeNamed(row.name)} onClick={() => setRemoving(row)}>
            {words.remove}
          </Action>
        </span>
      ),
    },
  ];
  return (
    <>
      <SimpleList
        title={words.table} lead={words.lead} permission="scans.read" query={query} columns={columns} rowKey={(row) => row.id} empty={{ title: words.emptyTitle, text: words.empty }}
        actions={
          <Action size="small" appearance="primary" icon={<CalendarAdd20Regular />} whyNot={whyNot ?? (none ? m.scans.noneConnected : undefined)} onClick={() => setEditing('new')}>
            {words.add}
          </Action>
        }
      />
      {editing && <ScheduleDialog schedule={editing === 'new' ? undefined : editing} onClose={() => setEditing(undefined)} />}
      {removing && <Remove schedule={removing} onClose={() => setRemoving(undefined)} />}
    </>
  );
}

function Last({ schedule }: { schedule: ScanSchedule }) {
  if (schedule.last_problem) return <span title={words.lastProblem(schedule.last_problem)}>{schedule.last_problem}</span>;
  if (!schedule.last_scan) return <>–</>;
  return (
    <AppLink href={paths.scan(schedule.last_scan)}>
      <Time at={schedule.last_at} />
    </AppLink>
  );
}

function Remove({ schedule, onClose }: { schedule: ScanSchedule; onClose: () => void }) {
  const remove = useChange({
    run: () => unwrap(api.DELETE('/api/v1/scan-schedules/{schedule}', { params: { path: { schedule: schedule.id } } })),
    name: words.removeTitle(schedule.name), done: words.removed, touches: ['list_scan_schedules'], then: onClose,
  });
  return <Confirm title={words.removeTitle(schedule.name)} body={words.removeBody} verb={words.remove} busy={remove.isPending} onConfirm={() => remove.mutate(undefined)} onClose={onClose} />;
}
