// A mail as a mail program would draw it, in a frame that may do nothing: no script, no forms, no pop-ups, not even this origin. The
// portal's own policy holds inside it as well, so nothing is fetched.
import { Button, makeStyles, tokens } from '@fluentui/react-components';
import { WeatherMoon16Regular, WeatherSunny16Regular } from '@fluentui/react-icons';
import { useMemo, useState } from 'react';
import { n } from '@/messages/notifications';
import { useTheme } from '@/shell/preferences';
import { Note } from '@/shared/States';
import { previewable } from './mail';

const words = n.preview;

const useStyles = makeStyles({
  bar: { display: 'flex', flexWrap: 'wrap', alignItems: 'center', justifyContent: 'space-between', gap: tokens.spacingHorizontalM },
  frame: { width: '100%', height: 'min(900px, 75vh)', border: `1px solid ${tokens.colorNeutralStroke1}`, borderRadius: tokens.borderRadiusMedium, boxSizing: 'border-box' },
});

export function MailFrame({ subject, html }: { subject: string; html: string }) {
  const styles = useStyles();
  const [scheme, setScheme] = useState<'light' | 'dark'>(useTheme().name === 'light' ? 'light' : 'dark');
  const page = useMemo(() => previewable(html), [html]);
  const other = scheme === 'light' ? 'dark' : 'light';
  return (
    <>
      <div className={styles.bar}>
        <Note>{words.linksOff}</Note>
        <Button size="small" appearance="subtle" icon={other === 'dark' ? <WeatherMoon16Regular /> : <WeatherSunny16Regular />} onClick={() => setScheme(other)}>
          {words.show[other]}
        </Button>
      </div>
      {/* A mail that looks for a dark scheme finds the frame's. Drawn anew with it, since a change alone reaches no frame that is drawn already. */}
      <iframe key={scheme} className={styles.frame} style={{ colorScheme: scheme }} title={words.frame(subject)} sandbox="" referrerPolicy="no-referrer" srcDoc={page} />
    </>
  );
}
