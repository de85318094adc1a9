// Text to copy, with a button that copies it and says so.
import { Button, makeStyles, mergeClasses, tokens } from '@fluentui/react-components';
import { Checkmark16Regular, Copy16Regular } from '@fluentui/react-icons';
import { useEffect, useState } from 'react';
import { t } from '@/messages';

const useStyles = makeStyles({
  frame: { position: 'relative', backgroundColor: tokens.colorNeutralBackground3, borderRadius: tokens.borderRadiusMedium, border: `1px solid ${tokens.colorNeutralStroke2}`, minWidth: 0 },
  code: {
    margin: 0, padding: `${tokens.spacingVerticalM} 92px ${tokens.spacingVerticalM} ${tokens.spacingHorizontalM}`, overflowX: 'auto', fontFamily: tokens.fontFamilyMonospace, fontSize: tokens.fontSizeBase200,
    lineHeight: tokens.lineHeightBase300, tabSize: 2, overflowWrap: 'normal',
  },
  button: { position: 'absolute', top: '6px', right: '6px', backgroundColor: tokens.colorNeutralBackground1 },
});

export function CopyButton({ text, label, className, children }: { text: string; label?: string; className?: string; children?: string }) {
  const [copied, setCopied] = useState(false);
  useEffect(() => {
    if (!copied) return;
    const timer = setTimeout(() => setCopied(false), 2000);
    return () => clearTimeout(timer);
  }, [copied]);
  return (
    <>
      <Button
        size="small" className={className} icon={copied ? <Checkmark16Regular /> : <Copy16Regular />} aria-label={label}
        onClick={() => void navigator.clipboard.writeText(text).then(() => setCopied(true))}
      >
        {copied ? t.app.copied : (children ?? t.app.copy)}
      </Button>
      <span role="status" style={{ position: 'absolute', clipPath: 'inset(50%)', width: 1, height: 1, overflow: 'hidden' }}>
        {copied ? t.app.copied : ''}
      </span>
    </>
  );
}

export function CodeSnippet({ code, label, className }: { code: string; label: string; className?: string }) {
  const styles = useStyles();
  return (
    <div className={mergeClasses(styles.frame, className)}>
      <pre className={styles.code} tabIndex={0} aria-label={label}>
        {code}
      </pre>
      <CopyButton text={code} label={t.settings.submit.copySnippet(label)} className={styles.button} />
    </div>
  );
}
