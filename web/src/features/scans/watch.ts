// A scan followed while it goes on: each event is the scan as it stands, and replaces what the page shows.
import { useQueryClient } from '@tanstack/react-query';
import { useEffect, useState } from 'react';
import { events, PAUSES, worthAnotherTry } from '@/api/events';
import { changed } from '@/api/queries';
import type { Scan, ScanEvent } from '@/api/schema';
import { scanQuery, settled } from './queries';

/** Follows a scan until it is settled; `lost` while the stream is broken and being asked for again. */
export function useWatch(scan: Scan | undefined): { lost: boolean } {
  const client = useQueryClient();
  const [lost, setLost] = useState(false);
  const id = scan && !settled(scan) ? scan.id : undefined;
  useEffect(() => {
    if (id === undefined) return;
    const stop = new AbortController();
    const key = scanQuery(id).queryKey;
    const follow = async () => {
      for (let failed = 0; !stop.signal.aborted; ) {
        try {
          for await (const event of events(`/api/v1/scans/${encodeURIComponent(id)}/events`, stop.signal)) {
            const { scan: now } = event as ScanEvent;
            failed = 0;
            setLost(false);
            client.setQueryData(key, now);
            if (settled(now)) {
              changed(client, 'list_scans', 'get_overview', 'list_runs', 'list_findings', 'get_facets', 'get_drift', 'list_series', 'list_controls');
              return;
            }
          }
          // The stream ended before the scan did: a proxy cut it, or the server went away.
        } catch (error) {
          if (stop.signal.aborted || !worthAnotherTry(error)) return;
        }
        setLost(true);
        await pause(PAUSES[Math.min(failed, PAUSES.length - 1)]!, stop.signal);
        failed += 1;
      }
    };
    void follow();
    return () => stop.abort();
  }, [id, client]);
  return { lost: lost && id !== undefined };
}

function pause(milliseconds: number, signal: AbortSignal): Promise<void> {
  return new Promise((done) => {
    const timer = setTimeout(done, milliseconds);
    signal.addEventListener('abort', () => { clearTimeout(timer); done(); }, { once: true });
  });
}
