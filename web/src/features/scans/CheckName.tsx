// A check in a list: what it says first, then its id, which is long.
import { makeStyles, tokens } from '@fluentui/react-components';

const useStyles = makeStyles({ id: { color: tokens.colorNeutralForeground3, fontSize: tokens.fontSizeBase200, fontWeight: tokens.fontWeightRegular, overflowWrap: 'anywhere' } });

export function CheckName({ id, title }: { id: string; title: string }) {
  const styles = useStyles();
  return (
    <span title={`${title} (${id})`}>
      {title} <span className={styles.id}>{id}</span>
    </span>
  );
}
