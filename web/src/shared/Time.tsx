// A moment: relative to read, exact on hover and focus, in the person's zone.
import { Tooltip } from '@fluentui/react-components';
import { useSyncExternalStore } from 'react';
import { exactTime, relativeTime } from './format';

// One clock for all times on the page, so that a list of 100 does not keep 100 timers.
let now = Date.now();
const watchers = new Set<() => void>();
let timer: ReturnType<typeof setInterval> | undefined;

function watch(watcher: () => void): () => void {
  watchers.add(watcher);
  timer ??= setInterval(() => {
    now = Date.now();
    watchers.forEach((each) => each());
  }, 30_000);
  return () => {
    watchers.delete(watcher);
    if (watchers.size === 0) {
      clearInterval(timer);
      timer = undefined;
    }
  };
}

export function useNow(): number {
  return useSyncExternalStore(watch, () => now);
}

export function Time({ at }: { at: string | null | undefined }) {
  const present = useNow();
  if (!at) return <span aria-label="none">–</span>;
  return (
    <Tooltip content={exactTime(at)} relationship="description">
      <time dateTime={at} style={{ whiteSpace: 'nowrap' }}>
        {relativeTime(at, present)}
      </time>
    </Tooltip>
  );
}
