// Short words about what an action did, announced to everyone. What draws them is loaded with the first notice.
import { lazy, Suspense, useSyncExternalStore } from 'react';
import { ApiError } from '@/api/client';
import { t } from '@/messages';

export interface Notice {
  number: number;
  intent: 'success' | 'error';
  title: string;
  body?: string;
  note?: string;
}

let notices: Notice[] = [];
const listeners = new Set<() => void>();

function say(notice: Omit<Notice, 'number'>): void {
  notices = [...notices.slice(-9), { ...notice, number: (notices.at(-1)?.number ?? 0) + 1 }];
  listeners.forEach((listener) => listener());
}

const subscribe = (listener: () => void) => {
  listeners.add(listener);
  return () => listeners.delete(listener);
};

const notify = {
  done: (title: string) => say({ intent: 'success', title }),
  failed: (title: string, error: unknown) =>
    say({
      intent: 'error',
      title,
      body: error instanceof Error ? error.message : String(error),
      note: error instanceof ApiError && error.requestId ? t.states.requestId(error.requestId) : undefined,
    }),
};

export const useNotify = () => notify;

const Toasts = lazy(() => import('./Toasts'));

export function Notices() {
  const all = useSyncExternalStore(subscribe, () => notices);
  return all.length === 0 ? null : (
    <Suspense>
      <Toasts notices={all} />
    </Suspense>
  );
}
