// The one time a signing secret is shown. Closing takes a deliberate press, so that it is not lost by a stray click.
import { Button, Dialog, DialogActions, DialogBody, DialogContent, DialogSurface, DialogTitle, Field, Input, makeStyles, tokens } from '@fluentui/react-components';
import { n } from '@/messages/notifications';
import { CopyButton } from '@/shared/CodeSnippet';

const words = n.channel;
const useStyles = makeStyles({
  content: { display: 'grid', gap: tokens.spacingVerticalM },
  row: { display: 'flex', gap: tokens.spacingHorizontalS, alignItems: 'center' },
  value: { flexGrow: 1, minWidth: 0, fontFamily: tokens.fontFamilyMonospace },
});

export interface NewSecret {
  secret: string;
  /** The channel it signs for, whose panel is open behind it or opens after it. */
  channel: string;
}

export function SecretDialog({ value, onClose }: { value: string; onClose: () => void }) {
  const styles = useStyles();
  return (
    <Dialog open modalType="alert">
      <DialogSurface>
        <DialogBody>
          <DialogTitle>{words.secretTitle}</DialogTitle>
          <DialogContent className={styles.content}>
            {words.secret}
            <Field label={words.secretField}>
              <div className={styles.row}>
                <Input readOnly value={value} className={styles.value} aria-label={words.secretField} autoComplete="off" onFocus={(event) => event.target.select()} />
                <CopyButton text={value} label={words.copySecret} />
              </div>
            </Field>
          </DialogContent>
          <DialogActions>
            <Button appearance="primary" onClick={onClose}>
              {words.stored}
            </Button>
          </DialogActions>
        </DialogBody>
      </DialogSurface>
    </Dialog>
  );
}
