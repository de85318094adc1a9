// Verdicts, bands and states of scans: an icon, a word and a colour together.
import {
  ArrowSync16Regular, CheckmarkCircle16Filled, CheckmarkCircleWarning16Regular, Clock16Regular, DismissCircle16Filled, ErrorCircle16Filled, LockClosed16Regular, PlugDisconnected16Regular, QuestionCircle16Regular,
  Ribbon16Regular, Star16Filled, SubtractCircle16Regular, Warning16Filled,
} from '@fluentui/react-icons';
import type { ComponentProps } from 'react';
import type { Band, ScanState, Score, SourceState, Verdict } from '@/api/schema';
import { m } from '@/messages/microsoft365';
import { Badge } from '@/shared/Badges';
import { percent } from '@/shared/format';

type Look = Pick<ComponentProps<typeof Badge>, 'tone' | 'icon'>;

const VERDICTS: Record<Verdict, Look> = {
  passed: { tone: 'good', icon: CheckmarkCircle16Filled },
  passed_with_exclusions: { tone: 'warn', icon: CheckmarkCircleWarning16Regular },
  failed: { tone: 'bad', icon: DismissCircle16Filled },
  skipped: { tone: 'calm', icon: SubtractCircle16Regular },
  unknown: { tone: 'calm', icon: QuestionCircle16Regular },
  error: { tone: 'bad', icon: ErrorCircle16Filled },
};

export const VerdictBadge = ({ verdict }: { verdict: Verdict }) => <Badge {...VERDICTS[verdict]} word={m.verdicts[verdict]} />;

const BANDS: Record<Band, Look> = {
  excellent: { tone: 'good', icon: Star16Filled },
  good: { tone: 'busy', icon: Ribbon16Regular },
  needs_attention: { tone: 'warn', icon: Warning16Filled },
  critical_risk: { tone: 'worst', icon: ErrorCircle16Filled },
};

export const BandBadge = ({ band }: { band: Band }) => <Badge {...BANDS[band]} word={m.bands[band]} />;

/** A score as its number and its word. */
export function ScoreWord({ score }: { score: Score | null | undefined }) {
  if (!score || typeof score.percent !== 'number' || !score.band) return <>–</>;
  return (
    <span style={{ display: 'inline-flex', gap: 8 }}>
      <span style={{ fontVariantNumeric: 'tabular-nums', minWidth: '4ch', textAlign: 'right' }}>{percent(score.percent / 100)}</span>
      <BandBadge band={score.band} />
    </span>
  );
}

const STATES: Record<ScanState, Look> = {
  queued: { tone: 'busy', icon: Clock16Regular },
  running: { tone: 'busy', icon: ArrowSync16Regular },
  completed: { tone: 'good', icon: CheckmarkCircle16Filled },
  failed: { tone: 'bad', icon: DismissCircle16Filled },
  cancelled: { tone: 'calm', icon: SubtractCircle16Regular },
};

export const ScanStateBadge = ({ state }: { state: ScanState }) => <Badge {...STATES[state]} word={m.scanStates[state]} />;

const SOURCES: Record<SourceState, Look> = {
  ok: { tone: 'good', icon: CheckmarkCircle16Filled },
  needs_consent: { tone: 'warn', icon: LockClosed16Regular },
  not_licensed: { tone: 'calm', icon: SubtractCircle16Regular },
  not_there: { tone: 'calm', icon: SubtractCircle16Regular },
  error: { tone: 'bad', icon: ErrorCircle16Filled },
  not_connected: { tone: 'warn', icon: PlugDisconnected16Regular },
};

export const SourceBadge = ({ state }: { state: SourceState }) => <Badge {...SOURCES[state]} word={m.sourceStates[state]} />;
