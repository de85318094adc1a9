// The one time a key is shown. Closing takes a deliberate press, so that it is not lost by a stray click.
import { Button, Dialog, DialogActions, DialogBody, DialogContent, DialogSurface, DialogTitle, Field, Input, makeStyles, tokens } from '@fluentui/react-components';
import { t } from '@/messages';
import { CopyButton } from '@/shared/CodeSnippet';

const useStyles = makeStyles({
  content: { display: 'grid', gap: tokens.spacingVerticalM },
  row: { display: 'flex', gap: tokens.spacingHorizontalS, alignItems: 'center' },
  value: { flexGrow: 1, fontFamily: tokens.fontFamilyMonospace },
});

export function NewKeyDialog({ value, onClose }: { value: string; onClose: () => void }) {
  const styles = useStyles();
  return (
    <Dialog open modalType="alert">
      <DialogSurface>
        <DialogBody>
          <DialogTitle>{t.settings.keys.shownTitle}</DialogTitle>
          <DialogContent className={styles.content}>
            {t.settings.keys.shown}
            <Field label={t.settings.keys.value}>
              <div className={styles.row}>
                <Input readOnly value={value} className={styles.value} aria-label={t.settings.keys.value} autoComplete="off" onFocus={(event) => event.target.select()} />
                <CopyButton text={value} label={t.settings.keys.copyKey} />
              </div>
            </Field>
          </DialogContent>
          <DialogActions>
            <Button appearance="primary" onClick={onClose}>
              {t.settings.keys.done}
            </Button>
          </DialogActions>
        </DialogBody>
      </DialogSurface>
    </Dialog>
  );
}
