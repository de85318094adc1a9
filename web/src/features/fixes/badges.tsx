// States and risks of fixes, states of containments: an icon, a word and a colour together.
import {
  ArrowSync16Regular, ArrowUndo16Filled, CheckmarkCircle16Filled, CheckmarkCircle16Regular, CheckmarkCircleWarning16Regular, ChevronDown16Filled, ChevronUp16Filled, CircleHalfFill16Regular, Clock16Regular,
  DismissCircle16Filled, ErrorCircle16Filled, PersonProhibited16Regular, QuestionCircle16Regular, Subtract16Filled, SubtractCircle16Regular,
} from '@fluentui/react-icons';
import type { ComponentProps } from 'react';
import type { ContainmentState, FixRisk, FixState } from '@/api/schema';
import { f } from '@/messages/fixes';
import { Badge } from '@/shared/Badges';

type Look = Pick<ComponentProps<typeof Badge>, 'tone' | 'icon'>;

const STATES: Record<FixState, Look> = {
  proposed: { tone: 'busy', icon: QuestionCircle16Regular },
  awaiting_second: { tone: 'busy', icon: CircleHalfFill16Regular },
  approved: { tone: 'good', icon: CheckmarkCircle16Regular },
  scheduled: { tone: 'busy', icon: Clock16Regular },
  applying: { tone: 'busy', icon: ArrowSync16Regular },
  applied: { tone: 'good', icon: CheckmarkCircle16Filled },
  stopped: { tone: 'warn', icon: ErrorCircle16Filled },
  failed: { tone: 'bad', icon: DismissCircle16Filled },
  rolling_back: { tone: 'busy', icon: ArrowSync16Regular },
  rolled_back: { tone: 'calm', icon: ArrowUndo16Filled },
  rollback_failed: { tone: 'bad', icon: DismissCircle16Filled },
  dismissed: { tone: 'calm', icon: SubtractCircle16Regular },
  superseded: { tone: 'calm', icon: SubtractCircle16Regular },
};

export const FixStateBadge = ({ state }: { state: FixState }) => <Badge {...STATES[state]} word={f.states[state]} />;

const RISKS: Record<FixRisk, Look> = {
  low: { tone: 'calm', icon: ChevronDown16Filled },
  medium: { tone: 'warn', icon: Subtract16Filled },
  high: { tone: 'bad', icon: ChevronUp16Filled },
};

export const RiskBadge = ({ risk }: { risk: FixRisk }) => <Badge {...RISKS[risk]} word={f.risks[risk]} />;

const CONTAINMENTS: Record<ContainmentState, Look> = {
  acting: { tone: 'busy', icon: ArrowSync16Regular },
  contained: { tone: 'warn', icon: PersonProhibited16Regular },
  partly: { tone: 'bad', icon: CheckmarkCircleWarning16Regular },
  failed: { tone: 'bad', icon: DismissCircle16Filled },
  releasing: { tone: 'busy', icon: ArrowSync16Regular },
  released: { tone: 'good', icon: CheckmarkCircle16Filled },
  release_failed: { tone: 'bad', icon: DismissCircle16Filled },
};

export const ContainmentBadge = ({ state }: { state: ContainmentState }) => <Badge {...CONTAINMENTS[state]} word={f.containmentStates[state]} />;
