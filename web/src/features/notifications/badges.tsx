// States of channels, deliveries and tries: an icon, a word and a colour together.
import {
  ArrowClockwise16Regular, CheckmarkCircle16Filled, Circle16Regular, Clock16Regular, DismissCircle16Filled, Mail20Regular, MailInbox20Regular, PauseCircle20Regular, PeopleTeam20Regular, PlugConnected20Regular, SubtractCircle16Regular, Warning16Filled,
} from '@fluentui/react-icons';
import type { ComponentProps } from 'react';
import type { ChannelKind, ChannelState, DeliveryState, TryOutcome } from '@/api/schema';
import { n } from '@/messages/notifications';
import { Badge } from '@/shared/Badges';

type Look = Pick<ComponentProps<typeof Badge>, 'tone' | 'icon'>;

const STATES: Record<ChannelState, Look> = {
  untried: { tone: 'calm', icon: Circle16Regular },
  working: { tone: 'good', icon: CheckmarkCircle16Filled },
  failing: { tone: 'warn', icon: Warning16Filled },
  broken: { tone: 'worst', icon: DismissCircle16Filled },
  paused: { tone: 'calm', icon: PauseCircle20Regular },
};

export const ChannelStateBadge = ({ state }: { state: ChannelState }) => <Badge {...STATES[state]} word={n.states[state]} />;

const KINDS: Record<ChannelKind, Look['icon']> = { smtp: Mail20Regular, mailbox: MailInbox20Regular, teams: PeopleTeam20Regular, webhook: PlugConnected20Regular };

export const KindWord = ({ kind }: { kind: ChannelKind }) => <Badge tone="calm" icon={KINDS[kind]} word={n.kinds[kind]} />;

const DELIVERIES: Record<DeliveryState, Look> = {
  waiting: { tone: 'busy', icon: Clock16Regular },
  delivered: { tone: 'good', icon: CheckmarkCircle16Filled },
  retrying: { tone: 'warn', icon: ArrowClockwise16Regular },
  dead: { tone: 'bad', icon: DismissCircle16Filled },
  dropped: { tone: 'calm', icon: SubtractCircle16Regular },
};

export const DeliveryBadge = ({ state }: { state: DeliveryState }) => <Badge {...DELIVERIES[state]} word={n.deliveryStates[state]} />;

const OUTCOMES: Record<TryOutcome, Look> = {
  delivered: { tone: 'good', icon: CheckmarkCircle16Filled },
  later: { tone: 'warn', icon: ArrowClockwise16Regular },
  broken: { tone: 'bad', icon: DismissCircle16Filled },
};

export const OutcomeWord = ({ outcome }: { outcome: TryOutcome }) => <Badge {...OUTCOMES[outcome]} word={n.outcomes[outcome]} />;
