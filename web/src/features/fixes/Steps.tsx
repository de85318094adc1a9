// What was sent and what came back, request by request, and how far a fix has come while it goes on.
import { makeStyles, mergeClasses, ProgressBar, tokens } from '@fluentui/react-components';
import { CheckmarkCircle16Filled, Circle16Regular, DismissCircle16Filled, SubtractCircle16Regular } from '@fluentui/react-icons';
import type { Fix, FixStep, StepPurpose } from '@/api/schema';
import { f } from '@/messages/fixes';
import { Note } from '@/shared/States';
import { Time } from '@/shared/Time';
import { textOf } from './difference';
import { isLive, type Stage, stages, type Turn } from './stages';

const words = f.panel;

const useStyles = makeStyles({
  stages: { display: 'grid', gridTemplateColumns: 'repeat(3, minmax(0, 1fr))', gap: tokens.spacingHorizontalS, listStyleType: 'none', margin: `${tokens.spacingVerticalS} 0 0`, padding: 0, '@media (max-width: 640px)': { gridTemplateColumns: 'minmax(0, 1fr)' } },
  stage: { display: 'flex', gap: tokens.spacingHorizontalXS, alignItems: 'center', minWidth: 0 },
  icon: { flexShrink: 0 },
  good: { color: tokens.colorStatusSuccessForeground1 },
  bad: { color: tokens.colorPaletteRedForeground1 },
  busy: { color: tokens.colorBrandForeground1 },
  calm: { color: tokens.colorNeutralForeground3 },
  list: { display: 'grid', gap: tokens.spacingVerticalXS, listStyleType: 'none', margin: 0, padding: 0 },
  step: { border: `1px solid ${tokens.colorNeutralStroke2}`, borderRadius: tokens.borderRadiusMedium, padding: `${tokens.spacingVerticalXS} ${tokens.spacingHorizontalS}` },
  head: { cursor: 'pointer' },
  line: { display: 'inline-flex', flexWrap: 'wrap', gap: `0 ${tokens.spacingHorizontalS}`, alignItems: 'baseline', maxWidth: 'calc(100% - 20px)', verticalAlign: 'top' },
  url: { fontFamily: tokens.fontFamilyMonospace, fontSize: tokens.fontSizeBase200, overflowWrap: 'anywhere' },
  detail: { margin: `${tokens.spacingVerticalXXS} 0 0` },
  json: {
    margin: `${tokens.spacingVerticalXXS} 0 ${tokens.spacingVerticalS}`, padding: tokens.spacingVerticalS, maxHeight: '260px', overflow: 'auto', backgroundColor: tokens.colorNeutralBackground3, borderRadius: tokens.borderRadiusMedium, fontFamily: tokens.fontFamilyMonospace,
    fontSize: tokens.fontSizeBase200, whiteSpace: 'pre-wrap', overflowWrap: 'anywhere',
  },
  name: { color: tokens.colorNeutralForeground3, fontSize: tokens.fontSizeBase200 },
  heard: { position: 'absolute', clipPath: 'inset(50%)', width: '1px', height: '1px', overflow: 'hidden' },
});

const ICONS = { done: CheckmarkCircle16Filled, bad: DismissCircle16Filled, none: SubtractCircle16Regular, busy: Circle16Regular, waiting: Circle16Regular };
const ALL: Stage[] = ['read', 'write', 'reread'];

/** The three stages of an order; a bar beside them while it goes on. Told to those who listen, a stage at a time. */
export function Progress({ fix }: { fix: Pick<Fix, 'state' | 'steps'> }) {
  const styles = useStyles();
  const turns = stages(fix);
  if (!turns) return null;
  const live = isLive(fix.state);
  const colour = (turn: Turn) => (turn === 'done' ? styles.good : turn === 'bad' ? styles.bad : turn === 'busy' ? styles.busy : styles.calm);
  const now = ALL.find((stage) => turns[stage] === 'busy') ?? 'reread';
  return (
    <div>
      {live && <ProgressBar aria-label={words.progress} aria-valuetext={f.stages[now]} />}
      <ol className={styles.stages} aria-label={words.progress}>
        {ALL.map((stage) => {
          const Icon = ICONS[turns[stage]];
          return (
            <li key={stage} className={styles.stage} aria-current={live && stage === now ? 'step' : undefined}>
              <Icon className={mergeClasses(styles.icon, colour(turns[stage]))} aria-hidden />
              <span>
                {f.stages[stage]} <Note>{f.stageTurns[turns[stage]]}</Note>
              </span>
            </li>
          );
        })}
      </ol>
      <div role="status" className={styles.heard}>
        {live ? f.spoken(f.stages[now], f.stageTurns[turns[now]]) : f.states[fix.state]}
      </div>
    </div>
  );
}

/** `plain` is the purpose that goes without saying. */
export function Steps({ steps, label, plain }: { steps: FixStep[]; label: string; plain: StepPurpose }) {
  const styles = useStyles();
  if (steps.length === 0) return <Note>{words.sentNone}</Note>;
  return (
    <ol className={styles.list} aria-label={label}>
      {steps.map((step, index) => (
        <li key={index} className={styles.step}>
          <details>
            <summary className={styles.head}>
              <span className={styles.line}>
                <strong>
                  {step.purpose !== plain && `${f.purposes[step.purpose]}: `}
                  {f.history[step.kind]}
                </strong>
                <span className={styles.url}>
                  {step.method} {step.url}
                </span>
                <span>{typeof step.status === 'number' ? step.status : words.noAnswer}</span>
                <Note>
                  <Time at={step.at} />
                </Note>
              </span>
            </summary>
            <Json name={words.body} value={step.request} />
            <Json name={words.answer} value={step.response} />
            {step.request == null && step.response == null && <Note>{words.noBody}</Note>}
          </details>
          {step.detail && <p className={styles.detail}>{step.detail}</p>}
        </li>
      ))}
    </ol>
  );
}

function Json({ name, value }: { name: string; value: unknown }) {
  const styles = useStyles();
  if (value === undefined || value === null) return null;
  return (
    <>
      <div className={styles.name}>{name}</div>
      <pre className={styles.json} tabIndex={0} role="group" aria-label={name}>
        {textOf(value)}
      </pre>
    </>
  );
}
