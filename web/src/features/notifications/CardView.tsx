// A card roughly as Teams draws it: enough to read it and see its order. Its words go through the same formatter as those of a report.
import { Button, makeStyles, mergeClasses, tokens } from '@fluentui/react-components';
import { n } from '@/messages/notifications';
import { Message } from '@/shared/Message';
import { Note } from '@/shared/States';
import { cardIn, type Part } from './card';

const words = n.preview;

const useStyles = makeStyles({
  card: {
    display: 'grid', gap: tokens.spacingVerticalS, gridTemplateColumns: 'minmax(0, 1fr)', maxWidth: '640px', padding: tokens.spacingHorizontalL, boxSizing: 'border-box',
    border: `1px solid ${tokens.colorNeutralStroke1}`, borderRadius: tokens.borderRadiusXLarge, backgroundColor: tokens.colorNeutralBackground1, boxShadow: tokens.shadow4,
  },
  text: { overflowWrap: 'anywhere', '& div > p:last-child': { marginBottom: 0 } },
  strong: { fontWeight: tokens.fontWeightSemibold },
  large: { fontSize: tokens.fontSizeBase400, lineHeight: tokens.lineHeightBase400 },
  huge: { fontSize: tokens.fontSizeHero700, lineHeight: tokens.lineHeightHero700 },
  normal: {},
  bad: { color: tokens.colorPaletteRedForeground1 },
  warn: { color: tokens.colorStatusWarningForeground3 },
  good: { color: tokens.colorStatusSuccessForeground1 },
  subtle: { color: tokens.colorNeutralForeground3 },
  facts: { display: 'grid', gridTemplateColumns: 'minmax(90px, max-content) minmax(0, 1fr)', gap: `2px ${tokens.spacingHorizontalM}`, margin: 0 },
  fact: { fontWeight: tokens.fontWeightSemibold },
  value: { margin: 0 },
  columns: { display: 'grid', gap: tokens.spacingHorizontalM, alignItems: 'start' },
  group: { display: 'grid', gap: tokens.spacingVerticalXS, gridTemplateColumns: 'minmax(0, 1fr)' },
  actions: { display: 'flex', flexWrap: 'wrap', gap: tokens.spacingHorizontalS },
});

export function CardView({ posted }: { posted: unknown }) {
  const styles = useStyles();
  const card = cardIn(posted);
  if (!card) return <Note>{words.noCard}</Note>;
  return (
    <>
      <div className={styles.card} role="group" aria-label={words.asTeams}>
        <Parts parts={card.parts} />
        {card.actions.length > 0 && (
          <div className={styles.actions}>
            {card.actions.map((action) => (
              <Button key={action.url} size="small" disabledFocusable title={words.opens(action.url)}>
                {action.title}
              </Button>
            ))}
          </div>
        )}
      </div>
      <Note>{card.unread > 0 ? words.unread(card.unread) : words.asTeams}</Note>
    </>
  );
}

function Parts({ parts }: { parts: Part[] }) {
  return parts.map((part, index) => <PartView key={index} part={part} />);
}

function PartView({ part }: { part: Part }) {
  const styles = useStyles();
  switch (part.kind) {
    case 'text':
      return (
        <div className={mergeClasses(styles.text, styles[part.size], part.strong && styles.strong, part.subtle && styles.subtle, part.tone && styles[part.tone])}>
          <Message text={part.text} />
        </div>
      );
    case 'facts':
      return (
        <dl className={styles.facts}>
          {part.facts.map((fact, index) => [
            <dt key={`${index}-name`} className={styles.fact}>
              {fact.title}
            </dt>,
            <dd key={`${index}-value`} className={mergeClasses(styles.text, styles.value)}>
              <Message text={fact.value} />
            </dd>,
          ])}
        </dl>
      );
    case 'columns':
      return (
        <div className={styles.columns} style={{ gridTemplateColumns: part.columns.map((column) => (column.stretch ? 'minmax(0, 1fr)' : 'auto')).join(' ') }}>
          {part.columns.map((column, index) => (
            <div key={index} className={styles.group}>
              <Parts parts={column.parts} />
            </div>
          ))}
        </div>
      );
    case 'group':
      return (
        <div className={styles.group}>
          <Parts parts={part.parts} />
        </div>
      );
  }
}
