// A report's HTML, in a sealed frame. The frame has no origin of its own (sandbox without allow-same-origin), so its scripts cannot act
// as the person, read storage, or reach the API or this page; the policy of viewer.html leaves it no network. It is never
// opened as a page of its own, because a blob's URL would then carry this origin.
import { makeStyles, Spinner, tokens } from '@fluentui/react-components';
import { ArrowDownload20Regular } from '@fluentui/react-icons';
import { useMutation, useQuery } from '@tanstack/react-query';
import { useParams } from '@tanstack/react-router';
import { useEffect, useRef, useState } from 'react';
import { runQuery } from '@/api/queries';
import type { Artifact } from '@/api/schema';
import { t } from '@/messages';
import { paths } from '@/paths';
import { Action } from '@/shared/Action';
import { AppLink, useSearch } from '@/shared/location';
import { useNotify } from '@/shared/notify';
import { Page } from '@/shared/Page';
import { ErrorState, ListSkeleton, Need, Note } from '@/shared/States';
import { downloadArtifact, readArtifact } from './artifact';

const useStyles = makeStyles({
  frame: { width: '100%', height: 'calc(100vh - 190px)', minHeight: '420px', boxSizing: 'border-box', border: `1px solid ${tokens.colorNeutralStroke1}`, borderRadius: tokens.borderRadiusMedium, backgroundColor: '#fff', colorScheme: 'light' },
});

export function ReportPage() {
  return (
    <Need permission="artifacts.read" page={t.reports.title}>
      <Body />
    </Need>
  );
}

function Body() {
  const { run } = useParams({ strict: false }) as { run: string };
  const { name = '' } = useSearch();
  const query = useQuery(runQuery(run));
  const artifact = query.data?.artifacts.find((each) => each.name === name);
  return (
    <Page
      title={t.reports.viewer(name)}
      state={
        <>
          {t.reports.viewerState} <AppLink inline href={paths.run(run)}>{t.reports.back}</AppLink>
        </>
      }
      commands={artifact && <Download artifact={artifact} />}
    >
      {query.isError ? (
        <ErrorState error={query.error} onRetry={() => void query.refetch()} permission="runs.read" />
      ) : !query.data ? (
        <ListSkeleton rows={10} height={32} />
      ) : !artifact ? (
        <ErrorState error={new Error(t.states.notFoundTitle)} />
      ) : artifact.kind !== 'html' ? (
        <Note>{t.reports.notHtml}</Note>
      ) : (
        <Sealed artifact={artifact} />
      )}
    </Page>
  );
}

function Download({ artifact }: { artifact: Artifact }) {
  const notify = useNotify();
  const download = useMutation({ mutationFn: () => downloadArtifact(artifact), onError: (error) => notify.failed(t.reports.failed(artifact.name), error) });
  return (
    <Action icon={<ArrowDownload20Regular />} disabledFocusable={download.isPending} onClick={() => download.mutate()}>
      {t.reports.download}
    </Action>
  );
}

function Sealed({ artifact }: { artifact: Artifact }) {
  const styles = useStyles();
  const frame = useRef<HTMLIFrameElement>(null);
  const [shown, setShown] = useState(false);
  const html = useQuery({
    queryKey: ['artifact-text', artifact.run, artifact.name],
    queryFn: async () => decode(await (await readArtifact(artifact)).arrayBuffer()),
    // Each look is a disclosure that the trail records: never repeated by itself, never kept.
    staleTime: Infinity, gcTime: 0, retry: false, refetchOnWindowFocus: false,
  });
  useEffect(() => {
    if (html.data === undefined) return;
    // The frame says when it is ready; only our own frame is believed, and only to send it its own report.
    const onMessage = (event: MessageEvent) => {
      if (event.source !== frame.current?.contentWindow || event.data !== 'bailiwick-viewer-ready') return;
      window.removeEventListener('message', onMessage);
      frame.current?.contentWindow?.postMessage({ html: html.data }, '*');
      setShown(true);
    };
    window.addEventListener('message', onMessage);
    return () => window.removeEventListener('message', onMessage);
  }, [html.data]);
  if (html.isError) return <ErrorState error={html.error} onRetry={() => void html.refetch()} permission="artifacts.read" />;
  return (
    <>
      {!shown && <Spinner label={t.reports.opening} />}
      {html.data !== undefined && (
        <iframe ref={frame} title={t.reports.frame(artifact.name)} className={styles.frame} sandbox="allow-scripts" referrerPolicy="no-referrer" src="/viewer.html" />
      )}
      <span role="status">{shown && <Note>{t.reports.checked}</Note>}</span>
    </>
  );
}

/** UTF-8 unless a byte-order mark says otherwise. */
function decode(bytes: ArrayBuffer): string {
  const [a, b] = new Uint8Array(bytes);
  const encoding = a === 0xff && b === 0xfe ? 'utf-16le' : a === 0xfe && b === 0xff ? 'utf-16be' : 'utf-8';
  return new TextDecoder(encoding).decode(bytes);
}
