// The states of a run as steps.
import { makeStyles, tokens } from '@fluentui/react-components';
import { CheckmarkCircle20Filled, Circle20Regular, Copy20Regular, DismissCircle20Filled, SpinnerIos20Regular } from '@fluentui/react-icons';
import type { ReactElement } from 'react';
import type { RunDetail } from '@/api/schema';
import { t } from '@/messages';
import { Time } from '@/shared/Time';

const useStyles = makeStyles({
  list: { listStyleType: 'none', margin: 0, padding: 0, display: 'grid', gap: tokens.spacingVerticalS },
  step: { display: 'grid', gridTemplateColumns: '24px minmax(110px, max-content) 1fr', alignItems: 'center', gap: tokens.spacingHorizontalS },
  good: { color: tokens.colorStatusSuccessForeground1, display: 'flex' },
  bad: { color: tokens.colorPaletteRedForeground1, display: 'flex' },
  calm: { color: tokens.colorNeutralForeground3, display: 'flex' },
  at: { color: tokens.colorNeutralForeground2 },
});

type Mark = 'done' | 'now' | 'failed' | 'waiting' | 'duplicate';
interface Step {
  name: string;
  mark: Mark;
  at?: string | null;
}

function stepsOf(run: RunDetail): Step[] {
  const { state } = run;
  const names = t.run.stepNames;
  const received: Step = { name: names.received, mark: state === 'receiving' ? 'now' : 'done', at: run.completed_at ?? run.opened_at };
  if (state === 'duplicate') return [received, { name: t.runStates.duplicate, mark: 'duplicate', at: run.completed_at }];
  const after = (mark: Mark): Mark => (state === 'receiving' ? 'waiting' : mark);
  return [
    received,
    { name: names.queued, mark: after(state === 'queued' ? 'now' : 'done') },
    { name: names.processed, mark: after(state === 'queued' ? 'waiting' : state === 'processing' ? 'now' : state === 'failed' ? 'failed' : 'done'), at: run.processed_at },
    { name: names.done, mark: state === 'succeeded' ? 'done' : 'waiting', at: state === 'succeeded' ? run.processed_at : undefined },
  ];
}

const WORDS: Record<Mark, string> = { done: t.trailOutcomes.done, now: t.runStates.processing, failed: t.run.stepFailed, waiting: t.run.stepWaiting, duplicate: t.runStates.duplicate };

export function RunSteps({ run }: { run: RunDetail }) {
  const styles = useStyles();
  const icons: Record<Mark, [ReactElement, string]> = {
    done: [<CheckmarkCircle20Filled key="i" />, styles.good],
    now: [<SpinnerIos20Regular key="i" />, styles.calm],
    failed: [<DismissCircle20Filled key="i" />, styles.bad],
    waiting: [<Circle20Regular key="i" />, styles.calm],
    duplicate: [<Copy20Regular key="i" />, styles.calm],
  };
  return (
    <ol className={styles.list} aria-label={t.run.steps} aria-live="polite">
      {stepsOf(run).map((step) => (
        <li key={step.name} className={styles.step} aria-current={step.mark === 'now' ? 'step' : undefined}>
          <span className={icons[step.mark][1]} aria-hidden>
            {icons[step.mark][0]}
          </span>
          <span>{step.name}</span>
          <span className={styles.at}>{step.mark !== 'done' || !step.at ? WORDS[step.mark] : <Time at={step.at} />}</span>
        </li>
      ))}
    </ol>
  );
}
