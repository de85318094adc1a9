// One schedule: how often, at what time, in which zone. The common choices write the cron; its next times are shown before it is saved.
import { Dropdown, Field, Input, makeStyles, Option, Switch, tokens } from '@fluentui/react-components';
import { useState } from 'react';
import { api, unwrap } from '@/api/client';
import type { NewScanSchedule, ScanKind, ScanSchedule } from '@/api/schema';
import { m } from '@/messages/microsoft365';
import { FormDialog } from '@/shared/Confirm';
import { useNow } from '@/shared/Time';
import { useChange } from '@/shared/useChange';
import { ZoneField, zoneHere } from '@/shared/ZoneField';
import { cronOf, isCron, isZone, nextTimes, type Rhythm, rhythmOf } from './cron';
import { ConnectionField, KindField, useReaders } from './StartScan';

const words = m.schedules;
const useStyles = makeStyles({
  pair: { display: 'grid', gridTemplateColumns: 'repeat(auto-fit, minmax(min(160px, 100%), 1fr))', gap: tokens.spacingHorizontalM },
  next: { margin: 0, paddingLeft: '20px' },
});

type Every = Rhythm['every'] | 'custom';
const EVERY: Record<Every, string> = { day: words.daily, week: words.weekly, month: words.monthly, custom: words.custom };

export function ScheduleDialog({ schedule, onClose }: { schedule: ScanSchedule | undefined; onClose: () => void }) {
  const readers = useReaders();
  const known = schedule && rhythmOf(schedule.cron);
  const [name, setName] = useState(schedule?.name ?? '');
  const [connection, setConnection] = useState(schedule?.connection);
  const [kind, setKind] = useState<ScanKind>(schedule?.kind ?? 'compliance');
  const [every, setEvery] = useState<Every>(schedule ? (known?.every ?? 'custom') : 'day');
  const [time, setTime] = useState(known ? `${String(known.hour).padStart(2, '0')}:${String(known.minute).padStart(2, '0')}` : '02:30');
  const [weekday, setWeekday] = useState(known?.every === 'week' ? known.weekday : 1);
  const [day, setDay] = useState(known?.every === 'month' ? String(known.day) : '1');
  const [written, setWritten] = useState(schedule?.cron ?? '30 2 * * 1-5');
  const [zone, setZone] = useState(schedule?.zone ?? zoneHere());
  const [enabled, setEnabled] = useState(schedule?.enabled ?? true);
  const target = readers.find((each) => each.id === connection) ?? (schedule ? undefined : (readers.find((each) => each.primary) ?? readers[0]));
  const [hour = NaN, minute = NaN] = time.split(':').map(Number);
  const cron = every === 'custom' ? written.trim() : cronOf(every === 'day' ? { every, hour, minute } : every === 'week' ? { every, hour, minute, weekday } : { every, hour, minute, day: Number(day) });
  const body: NewScanSchedule = { name: name.trim(), kind, connection: target?.id ?? schedule?.connection ?? '', cron, zone, enabled };
  const save = useChange({
    run: () =>
      schedule
        ? unwrap(api.PUT('/api/v1/scan-schedules/{schedule}', { params: { path: { schedule: schedule.id } }, body }))
        : unwrap(api.POST('/api/v1/scan-schedules', { body })),
    name: schedule ? words.changeNamed(schedule.name) : words.add, done: schedule ? words.changed : words.added, touches: ['list_scan_schedules'], then: onClose,
  });
  const good = isCron(cron) && isZone(zone) && body.name !== '' && body.connection !== '';
  return (
    <FormDialog title={schedule ? words.changeNamed(schedule.name) : words.add} verb={words.save} busy={save.isPending || !good} onSubmit={() => save.mutate(undefined)} onClose={onClose}>
      <Field label={words.name} required>
        <Input value={name} maxLength={120} onChange={(_, data) => setName(data.value)} />
      </Field>
      <ConnectionField readers={readers} value={target} onChange={setConnection} />
      <KindField value={kind} onChange={setKind} />
      <Rhythms every={every} setEvery={setEvery} time={time} setTime={setTime} weekday={weekday} setWeekday={setWeekday} day={day} setDay={setDay} cron={written} setCron={setWritten} />
      <ZoneField label={words.zone} bad={words.badZone} zone={zone} onChange={setZone} />
      <Next cron={cron} zone={zone} />
      <Switch label={words.enabledField} checked={enabled} onChange={(_, data) => setEnabled(data.checked)} />
    </FormDialog>
  );
}

interface RhythmProps {
  every: Every;
  setEvery: (every: Every) => void;
  time: string;
  setTime: (time: string) => void;
  weekday: number;
  setWeekday: (weekday: number) => void;
  day: string;
  setDay: (day: string) => void;
  cron: string;
  setCron: (cron: string) => void;
}

function Rhythms({ every, setEvery, time, setTime, weekday, setWeekday, day, setDay, cron, setCron }: RhythmProps) {
  const styles = useStyles();
  return (
    <div className={styles.pair}>
      <Field label={words.every}>
        <Dropdown value={EVERY[every]} selectedOptions={[every]} onOptionSelect={(_, data) => setEvery(data.optionValue as Every)} style={{ minWidth: 0 }}>
          {Object.entries(EVERY).map(([value, text]) => (
            <Option key={value} value={value}>
              {text}
            </Option>
          ))}
        </Dropdown>
      </Field>
      {every === 'week' && (
        <Field label={words.on}>
          <Dropdown value={m.weekdays[weekday]} selectedOptions={[String(weekday)]} onOptionSelect={(_, data) => setWeekday(Number(data.optionValue))} style={{ minWidth: 0 }}>
            {m.weekdays.map((text, value) => (
              <Option key={text} value={String(value)}>
                {text}
              </Option>
            ))}
          </Dropdown>
        </Field>
      )}
      {every === 'month' && (
        <Field label={words.day} hint={words.dayHint}>
          <Input type="number" min={1} max={28} value={day} onChange={(_, data) => setDay(data.value)} />
        </Field>
      )}
      {every === 'custom' ? (
        <Field label={words.cron} hint={words.cronHint} validationMessage={isCron(cron) ? undefined : words.badCron}>
          <Input value={cron} maxLength={100} spellCheck={false} onChange={(_, data) => setCron(data.value)} />
        </Field>
      ) : (
        <Field label={words.at}>
          <Input type="time" value={time} onChange={(_, data) => setTime(data.value)} />
        </Field>
      )}
    </div>
  );
}

function Next({ cron, zone }: { cron: string; zone: string }) {
  const styles = useStyles();
  const now = useNow();
  if (!isCron(cron) || !isZone(zone)) return null;
  const times = nextTimes(cron, zone, now);
  const write = new Intl.DateTimeFormat('en-GB', { timeZone: zone, weekday: 'short', day: 'numeric', month: 'short', year: 'numeric', hour: '2-digit', minute: '2-digit', timeZoneName: 'short' });
  return (
    <div role="status">
      {times.length === 0 ? words.nextNone : words.next}
      <ul className={styles.next}>
        {times.map((time) => (
          <li key={time}>{write.format(time)}</li>
        ))}
      </ul>
    </div>
  );
}
