// How far a scan has come, as it comes: endpoints read, checks judged, what is being read. Told in words to those who listen, at each
// phase and each quarter, so that they are not talked over.
import { makeStyles, MessageBar, MessageBarBody, ProgressBar, tokens } from '@fluentui/react-components';
import { useRef } from 'react';
import type { Scan } from '@/api/schema';
import { m } from '@/messages/microsoft365';
import { Facts, Mono } from '@/shared/Facts';
import { Section } from '@/shared/Page';
import { SourceBadge } from './badges';
import { shareDone } from './progress';

const words = m.scan;
const useStyles = makeStyles({
  body: { display: 'grid', gap: tokens.spacingVerticalM, gridTemplateColumns: 'minmax(0, 1fr)' },
  heard: { position: 'absolute', clipPath: 'inset(50%)', width: '1px', height: '1px', overflow: 'hidden' },
  list: { margin: 0, paddingLeft: 0, listStyleType: 'none', display: 'grid', gap: tokens.spacingVerticalXS },
});

export function ScanProgress({ scan, lost }: { scan: Scan; lost: boolean }) {
  const styles = useStyles();
  const { progress } = scan;
  const share = shareDone(progress);
  return (
    <Section title={words.progress} note={m.phases[progress.phase]}>
      <div className={styles.body}>
        {lost && (
          <MessageBar intent="warning">
            <MessageBarBody>{words.lost}</MessageBarBody>
          </MessageBar>
        )}
        <ProgressBar value={share} thickness="large" aria-label={words.progress} aria-valuetext={m.phases[progress.phase]} />
        <Facts
          facts={[
            [words.requests, words.of(progress.requests_done, progress.requests_planned)],
            [words.checks, words.of(progress.checks_judged, progress.checks_planned)],
            [words.reading, progress.reading && <Mono key="reading">{progress.reading}</Mono>],
            [words.attempts(scan.attempts), scan.attempts > 1 ? words.resumed(progress.requests_resumed) : undefined],
          ]}
        />
        {progress.degraded.length > 0 && (
          <div>
            {words.degraded}
            <ul className={styles.list} aria-label={words.degraded}>
              {progress.degraded.map((source) => (
                <li key={`${source.service} ${source.path}`}>
                  <SourceBadge state={source.state} /> <Mono>{source.path}</Mono> {source.detail}
                </li>
              ))}
            </ul>
          </div>
        )}
      </div>
      <Heard scan={scan} share={share} />
    </Section>
  );
}

function Heard({ scan: { progress }, share }: { scan: Scan; share: number | undefined }) {
  const styles = useStyles();
  const step = `${progress.phase} ${Math.floor((share ?? 0) * 4)}`;
  const said = useRef({ step: '', text: '' });
  if (said.current.step !== step) {
    said.current = { step, text: words.spoken(m.phases[progress.phase], progress.requests_done, progress.requests_planned, progress.checks_judged, progress.checks_planned) };
  }
  return (
    <div role="status" className={styles.heard}>
      {said.current.text}
    </div>
  );
}
