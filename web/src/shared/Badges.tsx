// Outcomes, severities and states: always an icon, a word and a colour together.
import { makeStyles, mergeClasses, tokens } from '@fluentui/react-components';
import {
  AddCircle16Regular, ArrowSync16Regular, ArrowTrendingDown16Filled, CheckmarkCircle16Filled, ChevronDoubleUp16Filled, ChevronDown16Filled, ChevronUp16Filled,
  Circle16Regular, Clock16Regular, CopyRegular, DismissCircle16Filled, ErrorCircle16Filled, Info16Regular, QuestionCircle16Regular,
  SearchInfo20Regular, Subtract16Filled, SubtractCircle16Regular,
} from '@fluentui/react-icons';
import type { ComponentType } from 'react';
import type { FindingEventKind, FindingLife, KeyState, Movement, Outcome, RunState, Severity, TrailOutcome } from '@/api/schema';
import { t } from '@/messages';

type Tone = 'good' | 'bad' | 'warn' | 'worst' | 'calm' | 'busy';
type Icon = ComponentType<{ className?: string; 'aria-hidden'?: boolean }>;

const useStyles = makeStyles({
  badge: { display: 'inline-flex', alignItems: 'center', gap: '4px', whiteSpace: 'nowrap' },
  icon: { flexShrink: 0, width: '16px', height: '16px' },
  good: { color: tokens.colorStatusSuccessForeground1 },
  bad: { color: tokens.colorPaletteRedForeground1 },
  worst: { color: tokens.colorPaletteRedForeground1, fontWeight: tokens.fontWeightSemibold },
  warn: { color: tokens.colorStatusWarningForeground3 },
  calm: { color: tokens.colorNeutralForeground2 },
  busy: { color: tokens.colorBrandForeground1 },
});

export function Badge({ tone, icon: Icon, word, className }: { tone: Tone; icon: Icon; word: string; className?: string }) {
  const styles = useStyles();
  return (
    <span className={mergeClasses(styles.badge, styles[tone], className)}>
      <Icon className={styles.icon} aria-hidden />
      {word}
    </span>
  );
}

const OUTCOMES: Record<Outcome, [Tone, Icon]> = {
  passed: ['good', CheckmarkCircle16Filled],
  failed: ['bad', DismissCircle16Filled],
  error: ['bad', ErrorCircle16Filled],
  investigate: ['warn', SearchInfo20Regular],
  skipped: ['calm', SubtractCircle16Regular],
  not_run: ['calm', Circle16Regular],
  unknown: ['calm', QuestionCircle16Regular],
};

/** `word` is the tool's own where it differs from ours. */
export function OutcomeBadge({ outcome, word }: { outcome: Outcome; word?: string | null }) {
  const [tone, icon] = OUTCOMES[outcome];
  const ours = t.outcomes[outcome];
  return <Badge tone={tone} icon={icon} word={word && word.toLowerCase() !== ours.toLowerCase() ? `${ours} (${word})` : ours} />;
}

const SEVERITIES: Record<Severity, [Tone, Icon]> = {
  critical: ['worst', ChevronDoubleUp16Filled],
  high: ['bad', ChevronUp16Filled],
  medium: ['warn', Subtract16Filled],
  low: ['calm', ChevronDown16Filled],
  info: ['calm', Info16Regular],
  none: ['calm', Circle16Regular],
};

export function SeverityBadge({ severity }: { severity: Severity }) {
  const [tone, icon] = SEVERITIES[severity];
  return <Badge tone={tone} icon={icon} word={t.severities[severity]} />;
}

const RUN_STATES: Record<RunState, [Tone, Icon]> = {
  receiving: ['busy', ArrowSync16Regular],
  queued: ['busy', Clock16Regular],
  processing: ['busy', ArrowSync16Regular],
  succeeded: ['good', CheckmarkCircle16Filled],
  failed: ['bad', DismissCircle16Filled],
  duplicate: ['calm', CopyRegular],
};

export function RunStateBadge({ state }: { state: RunState }) {
  const [tone, icon] = RUN_STATES[state];
  return <Badge tone={tone} icon={icon} word={t.runStates[state]} />;
}

const MOVEMENTS: Record<Movement, [Tone, Icon]> = {
  regression: ['bad', ArrowTrendingDown16Filled],
  fixed: ['good', CheckmarkCircle16Filled],
  added: ['calm', AddCircle16Regular],
  removed: ['calm', SubtractCircle16Regular],
  other: ['calm', ArrowSync16Regular],
};

/** `one` for a single item, else the name of the group. */
export function MovementBadge({ movement, one }: { movement: Movement; one?: boolean }) {
  const [tone, icon] = MOVEMENTS[movement];
  return <Badge tone={tone} icon={icon} word={(one ? t.moved : t.movements)[movement]} />;
}

const LIVES: Record<FindingLife | FindingEventKind, [Tone, Icon]> = {
  new: ['warn', AddCircle16Regular],
  opened: ['warn', AddCircle16Regular],
  existing: ['calm', Circle16Regular],
  changed: ['calm', ArrowSync16Regular],
  fixed: ['good', CheckmarkCircle16Filled],
  reopened: ['bad', ArrowTrendingDown16Filled],
};

export function LifeBadge({ life }: { life: FindingLife }) {
  const [tone, icon] = LIVES[life];
  return <Badge tone={tone} icon={icon} word={t.lives[life]} />;
}

export function EventBadge({ kind }: { kind: FindingEventKind }) {
  const [tone, icon] = LIVES[kind];
  return <Badge tone={tone} icon={icon} word={t.events[kind]} />;
}

export function KeyStateBadge({ state }: { state: KeyState }) {
  const [tone, icon]: [Tone, Icon] =
    state === 'active' ? ['good', CheckmarkCircle16Filled] : state === 'expired' ? ['warn', Clock16Regular] : ['calm', SubtractCircle16Regular];
  return <Badge tone={tone} icon={icon} word={t.keyStates[state]} />;
}

export function TrailOutcomeBadge({ outcome }: { outcome: TrailOutcome }) {
  return outcome === 'done' ? (
    <Badge tone="good" icon={CheckmarkCircle16Filled} word={t.trailOutcomes.done} />
  ) : (
    <Badge tone="bad" icon={DismissCircle16Filled} word={t.trailOutcomes.refused} />
  );
}
