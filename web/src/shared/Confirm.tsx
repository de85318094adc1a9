// A dialog that asks before something is taken away, and a form dialog for what is added.
import { Button, Dialog, DialogActions, DialogBody, DialogContent, DialogSurface, DialogTitle, makeStyles, tokens } from '@fluentui/react-components';
import { type ReactNode, useEffect, useState } from 'react';
import { t } from '@/messages';

const useStyles = makeStyles({ form: { display: 'grid', gap: tokens.spacingVerticalM } });

/** Gives the focus back to where it was before; where that is gone, to the title of what held it. */
function useFocusBack(): void {
  const [before] = useState(() => (document.activeElement instanceof HTMLElement ? document.activeElement : undefined));
  const [around] = useState(() => before?.closest('[role=dialog], main'));
  useEffect(
    () => () => {
      requestAnimationFrame(() => {
        if (document.activeElement !== document.body) return;
        const to = before?.isConnected ? before : around?.querySelector<HTMLElement>('h1[tabindex], h2[tabindex]');
        to?.focus({ preventScroll: true });
      });
    },
    [before, around],
  );
}

export function Confirm({ title, body, verb, busy, onConfirm, onClose }: { title: string; body: string; verb: string; busy: boolean; onConfirm: () => void; onClose: () => void }) {
  useFocusBack();
  return (
    <Dialog open modalType="alert" onOpenChange={(_, data) => !data.open && onClose()}>
      <DialogSurface>
        <DialogBody>
          <DialogTitle>{title}</DialogTitle>
          <DialogContent>{body}</DialogContent>
          <DialogActions>
            <Button onClick={onClose}>{t.app.cancel}</Button>
            <Button appearance="primary" disabledFocusable={busy} onClick={onConfirm}>
              {verb}
            </Button>
          </DialogActions>
        </DialogBody>
      </DialogSurface>
    </Dialog>
  );
}

export function FormDialog({ title, verb, busy, onSubmit, onClose, children }: { title: string; verb: string; busy: boolean; onSubmit: () => void; onClose: () => void; children: ReactNode }) {
  const styles = useStyles();
  useFocusBack();
  return (
    <Dialog open onOpenChange={(_, data) => !data.open && onClose()}>
      <DialogSurface>
        <form
          onSubmit={(event) => {
            event.preventDefault();
            if (!busy) onSubmit();
          }}
        >
          <DialogBody>
            <DialogTitle>{title}</DialogTitle>
            <DialogContent className={styles.form}>{children}</DialogContent>
            <DialogActions>
              <Button onClick={onClose}>{t.app.cancel}</Button>
              <Button type="submit" appearance="primary" disabledFocusable={busy}>
                {verb}
              </Button>
            </DialogActions>
          </DialogBody>
        </form>
      </DialogSurface>
    </Dialog>
  );
}
