// Open and download for artifacts, with the reason where a person may not.
import { makeStyles, tokens } from '@fluentui/react-components';
import { ArrowDownload16Regular, Open16Regular } from '@fluentui/react-icons';
import { useMutation } from '@tanstack/react-query';
import { useWhyNot } from '@/api/me';
import type { Artifact } from '@/api/schema';
import { t } from '@/messages';
import { paths } from '@/paths';
import { Action } from '@/shared/Action';
import { useGo } from '@/shared/location';
import { useNotify } from '@/shared/notify';
import { downloadArtifact } from './artifact';

const useStyles = makeStyles({
  list: { display: 'flex', flexDirection: 'column', gap: tokens.spacingVerticalXXS, margin: 0, padding: 0, listStyleType: 'none' },
  row: { display: 'flex', flexWrap: 'wrap', gap: tokens.spacingHorizontalS, alignItems: 'center' },
  actions: { display: 'inline-flex', gap: tokens.spacingHorizontalXS },
});

type Readable = Pick<Artifact, 'run' | 'name' | 'sha256' | 'kind'>;

export function ArtifactActions({ artifact }: { artifact: Readable }) {
  const styles = useStyles();
  const go = useGo();
  const notify = useNotify();
  const whyNot = useWhyNot('artifacts.read');
  const download = useMutation({
    mutationFn: () => downloadArtifact(artifact),
    onSuccess: () => notify.done(t.reports.downloaded(artifact.name)),
    onError: (error) => notify.failed(t.reports.failed(artifact.name), error),
  });
  return (
    <span className={styles.actions}>
      {artifact.kind === 'html' && (
        <Action size="small" appearance="subtle" icon={<Open16Regular />} whyNot={whyNot} aria-label={t.reports.openNamed(artifact.name)} onClick={() => go(paths.report(artifact.run, artifact.name))}>
          {t.reports.open}
        </Action>
      )}
      <Action size="small" appearance="subtle" icon={<ArrowDownload16Regular />} whyNot={whyNot} disabledFocusable={download.isPending} aria-label={t.reports.downloadNamed(artifact.name)} onClick={() => download.mutate()}>
        {t.reports.download}
      </Action>
    </span>
  );
}

export function ArtifactLinks({ artifacts }: { artifacts: Readable[] }) {
  const styles = useStyles();
  return (
    <ul className={styles.list}>
      {artifacts.map((artifact) => (
        <li key={artifact.name} className={styles.row}>
          <span>{artifact.name}</span>
          <ArtifactActions artifact={artifact} />
        </li>
      ))}
    </ul>
  );
}
