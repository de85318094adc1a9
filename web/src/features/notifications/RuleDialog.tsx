// One rule: when, how severe, where, to whom, how soon. What it will do stands below as a sentence while it is made.
import { Checkbox, Dropdown, Field, Input, Label, makeStyles, Option, Radio, RadioGroup, Switch, tokens } from '@fluentui/react-components';
import { useQuery } from '@tanstack/react-query';
import { useId, useState } from 'react';
import { api, unwrap } from '@/api/client';
import { useMay } from '@/api/me';
import { directoriesQuery, projectsQuery } from '@/api/queries';
import type { Channel, EventKind, NewNotificationRule, NotificationRule, Severity, Timing } from '@/api/schema';
import { cronOf, isZone, nextTimes } from '@/features/scans/cron';
import { t } from '@/messages';
import { n } from '@/messages/notifications';
import { FormDialog } from '@/shared/Confirm';
import { useNow } from '@/shared/Time';
import { useChange } from '@/shared/useChange';
import { ZoneField, zoneHere } from '@/shared/ZoneField';
import { wishOf } from './RulesTab';
import { sentenceOf } from './sentence';

const words = n.rule;
type Weekday = Extract<Timing, { kind: 'weekly' }>['day'];
const EVENTS = Object.keys(n.events) as EventKind[];
const SEVERITIES: Severity[] = ['critical', 'high', 'medium', 'low', 'info'];
const DAYS = Object.keys(n.days) as Weekday[];
const MOST = 100_000;

const useStyles = makeStyles({
  pair: { display: 'grid', gridTemplateColumns: 'repeat(auto-fit, minmax(min(180px, 100%), 1fr))', gap: tokens.spacingHorizontalM, alignItems: 'start' },
  events: { display: 'flex', flexDirection: 'column' },
  event: { display: 'flex', flexDirection: 'column' },
  note: { color: tokens.colorNeutralForeground3, fontSize: tokens.fontSizeBase200 },
  sentence: { padding: tokens.spacingHorizontalM, backgroundColor: tokens.colorNeutralBackground3, borderRadius: tokens.borderRadiusMedium, borderLeft: `3px solid ${tokens.colorCompoundBrandStroke}` },
  next: { color: tokens.colorNeutralForeground3, fontSize: tokens.fontSizeBase200 },
});

interface Props {
  rule: NotificationRule | undefined;
  channels: Channel[];
  /** The one a new rule tells, unless another is chosen. */
  channel: string | undefined;
  onClose: () => void;
}

const fresh = (channel: string): NewNotificationRule => ({
  name: '', channel, events: ['drift_regressed'], min_severity: null, min_regressions: 1, directories: [], projects: [], timing: { kind: 'immediate' }, enabled: true,
});

export function RuleDialog({ rule, channels, channel, onClose }: Props) {
  const styles = useStyles();
  const events = useId();
  const [wish, setWish] = useState<NewNotificationRule>(() => (rule ? wishOf(rule) : fresh(channels.find((each) => each.id === channel)?.id ?? channels[0]?.id ?? '')));
  const [least, setLeast] = useState(String(wish.min_regressions ?? 1));
  const put = (change: Partial<NewNotificationRule>) => setWish({ ...wish, ...change });
  const directories = useQuery({ ...directoriesQuery, enabled: useMay('directories.read') }).data?.items ?? [];
  const projects = useQuery({ ...projectsQuery, enabled: useMay('projects.read') }).data?.items ?? [];
  const count = Number(least);
  const badLeast = !Number.isInteger(count) || count < 1 || count > MOST;
  const body: NewNotificationRule = { ...wish, name: wish.name.trim(), min_regressions: badLeast ? 1 : count };
  const nameOf = (all: { id: string; name: string }[], ids: string[] | undefined) => (ids ?? []).map((id) => all.find((each) => each.id === id)?.name ?? id);
  const save = useChange({
    run: () => (rule ? unwrap(api.PUT('/api/v1/notification-rules/{rule}', { params: { path: { rule: rule.id } }, body })) : unwrap(api.POST('/api/v1/notification-rules', { body }))),
    name: rule ? n.rules.changeNamed(rule.name) : words.add, done: rule ? n.rules.changed : n.rules.added, touches: ['list_notification_rules', 'list_channels', 'get_channel'], then: onClose,
  });
  const drift = wish.events.includes('drift_regressed');
  const zoned = wish.timing.kind === 'immediate' || (isZone(wish.timing.time_zone) && /^\d\d:\d\d$/.test(wish.timing.at));
  const good = body.name !== '' && body.channel !== '' && wish.events.length > 0 && !badLeast && zoned;
  return (
    <FormDialog title={rule ? n.rules.changeNamed(rule.name) : words.add} verb={words.save} busy={save.isPending || !good} onSubmit={() => save.mutate(undefined)} onClose={onClose}>
      <Field label={words.name} required>
        <Input value={wish.name} maxLength={120} onChange={(_, data) => put({ name: data.value })} />
      </Field>
      {/* No Field around them: it would give each box its own label. */}
      <div role="group" aria-labelledby={events} className={styles.events}>
        <Label id={events}>{words.events}</Label>
        {EVENTS.map((event) => (
          <Checkbox
            key={event} checked={wish.events.includes(event)}
            label={
              <span className={styles.event}>
                {n.events[event]}
                <span className={styles.note}>{n.eventNotes[event]}</span>
              </span>
            }
            onChange={(_, data) => put({ events: EVENTS.filter((each) => (each === event ? data.checked === true : wish.events.includes(each))) })}
          />
        ))}
      </div>
      {drift && (
        <div className={styles.pair}>
          <Field label={words.least} hint={words.leastHint} validationMessage={badLeast ? words.badLeast : undefined}>
            <Input type="number" min={1} max={MOST} value={least} onChange={(_, data) => setLeast(data.value)} />
          </Field>
          <Field label={words.severity}>
            <Dropdown
              value={wish.min_severity ? words.orWorse(t.severities[wish.min_severity]) : words.anySeverity} selectedOptions={[wish.min_severity ?? '']} style={{ minWidth: 0 }}
              onOptionSelect={(_, data) => put({ min_severity: (data.optionValue || null) as Severity | null })}
            >
              <Option value="">{words.anySeverity}</Option>
              {SEVERITIES.map((each) => (
                <Option key={each} value={each}>
                  {words.orWorse(t.severities[each])}
                </Option>
              ))}
            </Dropdown>
          </Field>
        </div>
      )}
      <div className={styles.pair}>
        <Several label={words.directories} all={directories} chosen={wish.directories ?? []} onChange={(ids) => put({ directories: ids })} />
        <Several label={words.projects} all={projects} chosen={wish.projects ?? []} onChange={(ids) => put({ projects: ids })} />
      </div>
      <Field label={words.channel} required>
        <Dropdown value={channels.find((each) => each.id === wish.channel)?.name ?? ''} selectedOptions={[wish.channel]} onOptionSelect={(_, data) => put({ channel: data.optionValue ?? '' })} style={{ minWidth: 0 }}>
          {channels.map((each) => (
            <Option key={each.id} value={each.id} text={each.name}>
              {`${each.name} (${n.kinds[each.kind]})`}
            </Option>
          ))}
        </Dropdown>
      </Field>
      <When timing={wish.timing} onChange={(timing) => put({ timing })} />
      <div role="status" aria-label={words.sentence} className={styles.sentence}>
        {sentenceOf({
          ...wish, min_regressions: badLeast ? 1 : count, channel: channels.find((each) => each.id === wish.channel)?.name ?? '', directories: nameOf(directories, wish.directories), projects: nameOf(projects, wish.projects),
        })}
        <Next timing={wish.timing} />
      </div>
      <Switch label={words.enabled} checked={wish.enabled !== false} onChange={(_, data) => put({ enabled: data.checked })} />
    </FormDialog>
  );
}

/** Some of a list, or all of it. Draws nothing where there is nothing to choose. */
function Several({ label, all, chosen, onChange }: { label: string; all: { id: string; name: string }[]; chosen: string[]; onChange: (ids: string[]) => void }) {
  if (all.length === 0 && chosen.length === 0) return null;
  const names = all.filter((each) => chosen.includes(each.id)).map((each) => each.name);
  return (
    <Field label={label}>
      <Dropdown multiselect value={chosen.length === 0 ? words.all : names.length === chosen.length ? names.join(', ') : words.chosen(chosen.length)} selectedOptions={chosen} onOptionSelect={(_, data) => onChange(data.selectedOptions)} style={{ minWidth: 0 }}>
        {all.map((each) => (
          <Option key={each.id} value={each.id}>
            {each.name}
          </Option>
        ))}
      </Dropdown>
    </Field>
  );
}

function When({ timing, onChange }: { timing: Timing; onChange: (timing: Timing) => void }) {
  const styles = useStyles();
  const clock = timing.kind === 'immediate' ? { at: '07:30', time_zone: zoneHere() } : { at: timing.at, time_zone: timing.time_zone };
  const day = timing.kind === 'weekly' ? timing.day : 'monday';
  const pick = (kind: string) => onChange(kind === 'daily' ? { kind: 'daily', ...clock } : kind === 'weekly' ? { kind: 'weekly', day, ...clock } : { kind: 'immediate' });
  return (
    <>
      <Field label={words.timing}>
        <RadioGroup value={timing.kind} layout="horizontal" onChange={(_, data) => pick(data.value)}>
          <Radio value="immediate" label={words.immediate} />
          <Radio value="daily" label={words.daily} />
          <Radio value="weekly" label={words.weekly} />
        </RadioGroup>
      </Field>
      {timing.kind !== 'immediate' && (
        <div className={styles.pair}>
          {timing.kind === 'weekly' && (
            <Field label={words.day}>
              <Dropdown value={n.days[timing.day]} selectedOptions={[timing.day]} onOptionSelect={(_, data) => onChange({ ...timing, day: data.optionValue as Weekday })} style={{ minWidth: 0 }}>
                {DAYS.map((each) => (
                  <Option key={each} value={each}>
                    {n.days[each]}
                  </Option>
                ))}
              </Dropdown>
            </Field>
          )}
          <Field label={words.at}>
            <Input type="time" value={timing.at} onChange={(_, data) => onChange({ ...timing, at: data.value })} />
          </Field>
          <ZoneField label={words.zone} bad={words.badZone} zone={timing.time_zone} onChange={(time_zone) => onChange({ ...timing, time_zone })} />
        </div>
      )}
    </>
  );
}

/** When the next digests would come, in the zone that was chosen. */
function Next({ timing }: { timing: Timing }) {
  const styles = useStyles();
  const now = useNow();
  if (timing.kind === 'immediate' || !/^\d\d:\d\d$/.test(timing.at) || !isZone(timing.time_zone)) return null;
  const [hour = 0, minute = 0] = timing.at.split(':').map(Number);
  const cron = cronOf(timing.kind === 'daily' ? { every: 'day', hour, minute } : { every: 'week', hour, minute, weekday: (DAYS.indexOf(timing.day) + 1) % 7 });
  const write = new Intl.DateTimeFormat('en-GB', { timeZone: timing.time_zone, weekday: 'short', day: 'numeric', month: 'short', hour: '2-digit', minute: '2-digit', timeZoneName: 'short' });
  return (
    <div className={styles.next}>
      {words.next}: {nextTimes(cron, timing.time_zone, now).slice(0, 2).map((time) => write.format(time)).join('; ')}
    </div>
  );
}
