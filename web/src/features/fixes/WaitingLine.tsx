// On the overview: how many fixes wait for somebody's approval, with the way there. Nothing when none does.
import { useQueries } from '@tanstack/react-query';
import { api, unwrap } from '@/api/client';
import { useMay } from '@/api/me';
import { f } from '@/messages/fixes';
import { paths } from '@/paths';
import { AppLink } from '@/shared/location';

const PAGE = 200;

export function WaitingLine({ directory }: { directory: string | undefined }) {
  const enabled = useMay('fixes.read');
  const pages = useQueries({
    queries: (['proposed', 'awaiting_second'] as const).map((state) => ({
      queryKey: ['list_fixes', 'waiting', state, directory], enabled, queryFn: () => unwrap(api.GET('/api/v1/fixes', { params: { query: { state, directory, limit: PAGE } } })),
    })),
  });
  const count = pages.reduce((sum, { data }) => sum + (data?.items.length ?? 0), 0);
  if (count === 0) return null;
  return <AppLink href={paths.fixes()}>{f.waitsOn(count, pages.some(({ data }) => data?.next))}</AppLink>;
}
