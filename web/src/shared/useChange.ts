// A change through the API: says that it worked or why not, and makes the answers it touched stale.
import { useMutation, useQueryClient } from '@tanstack/react-query';
import { changed } from '@/api/queries';
import type { operations } from '@/api/schema';
import { useNotify } from './notify';

interface Change<In, Out> {
  run: (input: In) => Promise<Out>;
  /** What it was, for the notice when it fails. */
  name: string;
  done?: string;
  touches: (keyof operations)[];
  then?: (out: Out) => void;
}

export function useChange<In, Out>({ run, name, done, touches, then }: Change<In, Out>) {
  const client = useQueryClient();
  const notify = useNotify();
  return useMutation({
    mutationFn: run,
    onSuccess: (out) => {
      if (done) notify.done(done);
      changed(client, ...touches);
      then?.(out);
    },
    onError: (error) => notify.failed(name, error),
  });
}
