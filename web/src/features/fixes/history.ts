// The life of a fix as a line of events, the newest first. Pure.
import type { Fix } from '@/api/schema';

export interface Event {
  kind: 'planned' | 'approved' | 'applied' | 'rolled_back';
  at: string;
  who?: string;
  note?: string;
}

type Lived = Pick<Fix, 'planned_at' | 'planned_by' | 'approvals' | 'applied_at' | 'applied_by' | 'rolled_back_at' | 'rolled_back_by'>;

export function historyOf(fix: Lived): Event[] {
  const all: Event[] = [
    { kind: 'planned', at: fix.planned_at, who: fix.planned_by.name },
    ...fix.approvals.map(({ at, by, note }) => ({ kind: 'approved' as const, at, who: by.name, note: note ?? undefined })),
    ...(fix.applied_at ? [{ kind: 'applied' as const, at: fix.applied_at, who: fix.applied_by?.name }] : []),
    ...(fix.rolled_back_at ? [{ kind: 'rolled_back' as const, at: fix.rolled_back_at, who: fix.rolled_back_by?.name }] : []),
  ];
  // Of two at one moment the later in life is the newer.
  return all.map((event, index) => ({ event, index })).sort((a, b) => Date.parse(b.event.at) - Date.parse(a.event.at) || b.index - a.index).map(({ event }) => event);
}
